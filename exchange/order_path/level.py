"""Levels of behaviour: what the fold does may change only where the journal says so, so that old journals replay to their old hashes.

A new exchange begins at LEVEL_NOW; an older one comes to it by the document `activate_level`, one level at a time (docs/decisions).
"""

from enum import IntEnum
from typing import Final


class Level(IntEnum):
    """What each level added to the one before."""

    TRADING = 0  # orders, auctions, settlement of a day
    VALUE_CHAIN = 1  # serial ranges of units, the green attribute of delivered energy, certificates at settlement


LEVEL_NOW: Final = Level.VALUE_CHAIN
