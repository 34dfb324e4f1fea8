"""The columns of an order file, and which action reads which."""

from typing import Final

import numpy as np

from matching.records import BookPhase, EntryFlag, EntryKind, SelfTrade, TimeInForce

COLUMNS: Final = (
    "time", "instrument", "action", "order_id", "owner", "side", "type", "time_in_force", "price", "quantity", "display_quantity", "stop_price",
    "minimum_quantity", "label", "self_trade_prevention", "reference_price", "phase", "band_low", "band_high", "legs",
)  # fmt: skip

ACTIONS: Final = {
    "place": EntryKind.PLACE,
    "amend": EntryKind.AMEND,
    "cancel": EntryKind.CANCEL,
    "expire": EntryKind.EXPIRE,
    "basket": EntryKind.BASKET,
    "mass_cancel": EntryKind.MASS_CANCEL,
    "phase": EntryKind.SET_PHASE,
    "uncross": EntryKind.UNCROSS,
    "band": EntryKind.SET_BAND,
}
SIDES: Final = {"buy": 0, "sell": 1}
TIMES_IN_FORCE: Final = {member.name.lower(): int(member) for member in TimeInForce}
SELF_TRADES: Final = {member.name.lower(): int(member) for member in SelfTrade}
PHASES: Final = {member.name.lower(): int(member) for member in BookPhase}

# Not a flag of the core: the type enters at once or not at all, so its time in force is ioc where none is given.
IMMEDIATE: Final = 1 << 16
TYPE_WORDS: Final = {
    "limit": 0,
    "market": IMMEDIATE,
    "stop": IMMEDIATE | EntryFlag.STOP,
    "stop_limit": int(EntryFlag.STOP),
    "iceberg": int(EntryFlag.ICEBERG),
    "minimum": int(EntryFlag.MINIMUM),
    "all_or_none": int(EntryFlag.ALL_OR_NONE),
    "post_only": int(EntryFlag.POST_ONLY),
    "reprice": int(EntryFlag.REPRICE),
}

_ORDER: Final = ("instrument", "order_id", "owner", "side", "price", "quantity")
_ORDER_MAY: Final = ("type", "time_in_force", "display_quantity", "stop_price", "minimum_quantity", "label", "self_trade_prevention")
# What an action needs, and what else it may be given; every column besides is empty.
NEEDED: Final[dict[EntryKind, tuple[str, ...]]] = {
    EntryKind.PLACE: _ORDER,
    EntryKind.BASKET: _ORDER,
    EntryKind.AMEND: ("order_id", "price", "quantity"),
    EntryKind.CANCEL: ("order_id",),
    EntryKind.EXPIRE: ("order_id",),
    EntryKind.MASS_CANCEL: ("owner",),
    EntryKind.SET_PHASE: ("instrument", "phase"),
    EntryKind.UNCROSS: ("instrument", "reference_price"),
    EntryKind.SET_BAND: ("instrument",),
}
OPTIONAL: Final[dict[EntryKind, tuple[str, ...]]] = {
    EntryKind.PLACE: _ORDER_MAY,
    EntryKind.BASKET: (*_ORDER_MAY, "legs"),
    EntryKind.AMEND: ("instrument", "type", "self_trade_prevention"),
    EntryKind.CANCEL: ("instrument",),
    EntryKind.EXPIRE: ("instrument",),
    EntryKind.MASS_CANCEL: ("instrument", "side", "label"),
    EntryKind.SET_PHASE: (),
    EntryKind.UNCROSS: (),
    EntryKind.SET_BAND: ("band_low", "band_high"),
}
# Columns that are there if the type has the word, and only then.
OF_TYPE: Final = {"display_quantity": "iceberg", "stop_price": "stop", "minimum_quantity": "minimum"}


def _table(of_kind: dict[EntryKind, tuple[str, ...]], column: str) -> np.ndarray:
    table = np.zeros(256, np.bool_)
    for kind, names in of_kind.items():
        table[kind] = column in names
    return table


# By column: whether a kind of entry (index) needs it, and whether it must be empty.
IS_NEEDED: Final = {column: _table(NEEDED, column) for column in COLUMNS}
_READ: Final = {kind: ("time", "action", *NEEDED[kind], *OPTIONAL[kind]) for kind in NEEDED}
IS_FORBIDDEN: Final = {column: _table({kind: (column,) for kind in NEEDED if column not in _READ[kind]}, column) for column in COLUMNS}
ACTION_NAMES: Final = {int(kind): name for name, kind in ACTIONS.items()}
