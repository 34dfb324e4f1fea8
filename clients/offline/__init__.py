"""Matching a file of orders offline, without an exchange: `parkex match`. docs/guides/match-a-file.md describes the files."""
