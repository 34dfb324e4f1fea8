"""Classes of instruments and rules that hold for a class."""

from enum import IntEnum


class InstrumentClass(IntEnum):
    """Power by delivery period; green certificates (绿证); national allowances; national voluntary credits; park credits."""

    POWER = 0
    GEC = 1
    CEA = 2
    CCER = 3
    PCC = 4


class Resale(IntEnum):
    """Whether bought units can be sold: at once, not on the day they were bought, or never (the one transfer of a GEC is used up)."""

    FREE = 0
    NEXT_DAY = 1
    NONE = 2
