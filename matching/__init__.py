"""Compiled order books. This package knows ticks, lots and owners; it knows no money, park, clock or network."""
