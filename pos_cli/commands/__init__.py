"""What the commands do, by what they are about; the stack and the demo are beside this package."""
