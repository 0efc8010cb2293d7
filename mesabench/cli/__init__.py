"""The command line."""

from mesabench.cli.verbs import main

__all__ = ["main"]
