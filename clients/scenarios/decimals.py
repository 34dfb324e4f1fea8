"""Decimal numbers of files as integers: exact, or refused with the reason."""

import re
from typing import Final

_DECIMAL: Final = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]+))?", re.ASCII)


class DecimalProblemError(ValueError):
    """The text is not a number this place can take; the message says why and what was expected."""


def parse_scaled(text: str, decimals: int, *, signed: bool = False) -> int:
    """The number times 10**decimals, exactly: "0.28" at six decimals is 280000.

    At most 12 digits before the point and `decimals` after it (trailing zeros beyond are allowed). No blank, exponent, plus sign, NaN or infinity;
    a minus only when `signed`. Raises DecimalProblemError.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise DecimalProblemError(f"{_shown(text)} is not a plain decimal number such as 12.5 (no blanks, signs, exponents or thousands separators)")
    sign, whole, fraction = match.group(1), match.group(2), (match.group(3) or "").rstrip("0")
    if len(fraction) > decimals:
        raise DecimalProblemError(f"{_shown(text)} has {len(fraction)} decimals; at most {decimals} are meaningful here")
    value = int(whole + fraction.ljust(decimals, "0"))
    if sign and not signed and value:
        raise DecimalProblemError(f"{_shown(text)} is negative; expected zero or more")
    return -value if sign else value


def decimal_text(value: int, decimals: int) -> str:
    """The number `value` / 10**decimals without trailing zeros: 280,000 at six decimals is "0.28"."""
    whole, fraction = divmod(abs(value), 10**decimals)
    digits = f"{fraction:0{decimals}d}".rstrip("0") if decimals else ""
    return f"{'-' if value < 0 else ''}{whole}{'.' + digits if digits else ''}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 30 else text[:30] + "...")
