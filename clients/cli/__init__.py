"""The parkex command."""
