"""The parkex command: `main` is its entry point."""

from clients.cli.app import main

__all__ = ["main"]
