"""The `pyrt` command: what a shell can ask of the library."""

from pyrt.cli.main import main

__all__ = ["main"]
