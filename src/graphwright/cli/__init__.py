"""The command line: one file for each command, and `main`."""

from graphwright.cli.main import main

__all__ = ["main"]
