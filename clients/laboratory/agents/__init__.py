"""Populations: how participants form prices, each documented with its paper."""
