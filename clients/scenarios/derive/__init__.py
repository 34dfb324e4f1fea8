"""Derivation of the shipped year of profiles: `python -m clients.scenarios.derive` (the extra `profiles` installs what it needs).

Nothing else of parkex imports this package: the demo reads the file that it wrote.
"""
