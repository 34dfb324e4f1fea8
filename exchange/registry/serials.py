"""Serial numbers as text: PARK-{unit}-{source}-{vintage YYYYMM}-{batch}-{from}-{to}-{check}, such as PARK-GEC-D12-202605-7-1-1099-F.

`unit` is the scheme. `source` names the device (D) or the project (P) behind the units, N0 where there is none; `batch` is the issuance. The check
character is that of ISO/IEC 7064, MOD 37-2, over all before it, where a hyphen counts as 36: it finds every single wrong character and every swap
of two neighbours, a digit and a hyphen among them.
"""

import re
from enum import IntEnum
from typing import Final, NamedTuple

from exchange.errors import InputError
from exchange.units import INT64_MAX


class UnitScheme(IntEnum):
    """What certifies a unit, which is also the middle of its serial number."""

    GEC = 1  # national green certificate, 1 MWh
    GC = 2  # granular certificate of production, 1 Wh of a quarter-hour
    SDGC = 3  # granular certificate of storage discharge
    CEA = 4
    CCER = 5
    PCC = 6  # park credit


DEVICE_SCHEMES: Final = frozenset({UnitScheme.GEC, UnitScheme.GC, UnitScheme.SDGC})
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_LENGTH_MAX: Final = 120
_VINTAGE: Final = re.compile(r"(?<![0-9])(?:(?P<year>20[0-9]{2})(?P<month>0[1-9]|1[0-2])?|(?P<short>[0-9]{2}))(?![0-9])")


class SerialRange(NamedTuple):
    """Units `serial_from` to `serial_to` (inclusive) of one issuance."""

    scheme: UnitScheme
    source: int
    vintage: int
    issuance: int
    serial_from: int
    serial_to: int

    @property
    def quantity(self) -> int:
        return self.serial_to - self.serial_from + 1

    def __str__(self) -> str:
        letter = "N" if self.source == 0 else "D" if self.scheme in DEVICE_SCHEMES else "P"
        body = f"PARK-{self.scheme.name}-{letter}{self.source}-{self.vintage:06d}-{self.issuance}-{self.serial_from}-{self.serial_to}"
        return f"{body}-{check_character(body)}"


def check_character(text: str) -> str:
    """ISO/IEC 7064 MOD 37-2 over the letters A to Z, digits and hyphens (36) of `text`. One of 0-9, A-Z and *."""
    remainder = 0
    for character in text:
        remainder = (remainder + _ALPHABET.index("*" if character == "-" else character)) * 2 % 37
    return _ALPHABET[(1 - remainder) % 37]


def parse_serial(text: str) -> SerialRange:
    """Inverse of `str(range)`. Raises InputError that names the part that is wrong; a text that is equal but for its spelling is wrong too."""
    parts = text.split("-") if len(text) <= _LENGTH_MAX else []
    if len(parts) != 8 or parts[0] != "PARK":
        raise InputError("a serial number has eight parts: PARK-unit-source-vintage-batch-from-to-check")
    _, unit, source, vintage, *numbers, check = parts
    if unit not in UnitScheme.__members__:
        raise InputError("serial number of an unknown unit")
    scheme = UnitScheme[unit]
    if source[:1] not in {"N", "D", "P"} or not _NUMBER.fullmatch(source[1:]):
        raise InputError("the source of a serial number is N0, a device D1, D2 ... or a project P1, P2 ...")
    if not re.fullmatch(r"[0-9]{6}", vintage) or int(vintage[4:]) > 12:
        raise InputError("the vintage of a serial number is YYYYMM, or YYYY00 for a year")
    if not all(_NUMBER.fullmatch(number) for number in numbers):
        raise InputError("batch, from and to of a serial number are whole numbers")
    issuance, serial_from, serial_to = map(int, numbers)
    if not 0 < serial_from <= serial_to <= INT64_MAX:
        raise InputError("a serial number begins at 1 or later and ends where it begins or later")
    found = SerialRange(scheme, int(source[1:]), int(vintage), issuance, serial_from, serial_to)
    if check not in _ALPHABET or len(check) != 1 or str(found) != text:
        raise InputError("the check character of a serial number does not fit")
    return found


def vintage_of_symbol(symbol: str) -> int:
    """The vintage that a symbol names, as YYYYMM or YYYY00: GEC-202605-PV, CEA25, PCC-2026; 0 where it names none."""
    found = _VINTAGE.search(symbol)
    if found is None:
        return 0
    return int(found["year"] or "20" + found["short"]) * 100 + int(found["month"] or 0)
