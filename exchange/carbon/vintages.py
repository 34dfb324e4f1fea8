"""Vintages of national allowances: the compliance year that a symbol names (CEA25, CEA19-20 of the first cycle, which counts as its last year)."""

import re
from typing import Final

_SYMBOL: Final = re.compile(r"CEA(?:(\d\d)-)?(\d\d)", re.ASCII).fullmatch


def vintage_of(symbol: str) -> int | None:
    """The year, or None for a symbol that names none."""
    found = _SYMBOL(symbol)
    if found is None or (found[1] is not None and found[1] >= found[2]):
        return None
    return 2000 + int(found[2])


def is_usable(vintage: int, year: int, oldest: int) -> bool:
    """Whether a vintage may be surrendered for a compliance year: none that is later (no borrowing), none older than the rules' oldest."""
    return oldest <= vintage <= year
