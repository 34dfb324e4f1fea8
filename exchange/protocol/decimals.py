"""Decimal strings of the wire to integers and back. Strict: one spelling rule, no float anywhere.

A number is ASCII digits with at most one point, digits on both sides of it, no leading zero before another digit. Signs, blanks, underscores,
exponents and other scripts' digits are malformed. More decimals than the instrument quotes are off its grid even when they are zeros.
"""

from functools import lru_cache
from typing import Final

MALFORMED: Final = -1
TOO_MANY_DECIMALS: Final = -2
TOO_LARGE: Final = -3

# 18 digits always fit int64; no price or quantity needs more.
MAX_DIGITS: Final = 18

_POWERS: Final[tuple[int, ...]] = tuple(10**n for n in range(MAX_DIGITS + 1))


def parse_decimal(text: str, decimals: int) -> int:
    """`text` in units of 10**-decimals, or MALFORMED, TOO_MANY_DECIMALS or TOO_LARGE (all negative). Never raises on any str."""
    head, point, tail = text.partition(".")
    # str.isdigit knows other scripts' digits, so ASCII is asked first.
    if not (text.isascii() and head.isdigit()) or (head[0] == "0" and len(head) > 1):
        return MALFORMED
    if not point:
        if len(head) + decimals > MAX_DIGITS:
            return TOO_LARGE
        return int(head) * _POWERS[decimals]
    if not tail.isdigit():
        return MALFORMED
    missing = decimals - len(tail)
    if missing < 0:
        return TOO_MANY_DECIMALS
    if len(head) + decimals > MAX_DIGITS:
        return TOO_LARGE
    return int(head + tail) * _POWERS[missing]


def parse_signed_decimal(text: str, decimals: int) -> int | None:
    """As `parse_decimal`, with an optional leading minus; None when it is not such a number. For nominations, where injection is positive."""
    negative = text.startswith("-")
    value = parse_decimal(text[1:] if negative else text, decimals)
    if value < 0:
        return None
    return -value if negative else value


# Prices and quantities repeat: most texts are already there.
@lru_cache(maxsize=16_384)
def format_decimal(value: int, decimals: int) -> str:
    """Inverse of `parse_decimal` with exactly `decimals` places; negative values get a minus."""
    if decimals == 0:
        return str(value)
    digits = str(abs(value)).zfill(decimals + 1)
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"
