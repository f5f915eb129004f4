"""Starts the sandbox: ``python -m sandbox --help``."""

from sandbox.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
