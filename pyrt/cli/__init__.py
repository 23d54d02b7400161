"""The `pyrt` command: what a shell can ask of the library."""

from pyrt.cli.entry import main

__all__ = ["main"]
