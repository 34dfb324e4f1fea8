"""`python -m clients.cli` is the parkex command."""

from clients.cli.app import main

main()
