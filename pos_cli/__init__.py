"""The command line, `pos`."""
