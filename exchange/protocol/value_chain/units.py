"""Documents of units that have serial numbers: transfers, locks, freezes, and which of them are delivered.

Where a document takes a quantity and ranges, ranges are texts such as PARK-GEC-D12-202605-7-1-100-Z; without them the units are those that come first
in the account, and with them a quantity of 0 means all of them. The symbol "" stands for granular certificates, which are of no listed instrument.
"""

from typing import ClassVar, Final

import msgspec

from exchange.protocol.document import Document


class TransferUnits(Document, frozen=True, kw_only=True):
    """The sender's units to another member, without a trade and without money."""

    SCHEMA: ClassVar[str] = "transfer_units"
    symbol: str
    to_account: int
    reference: str
    quantity_lots: int = 0
    ranges: list[str] = msgspec.field(default_factory=list)


class LockUnits(Document, frozen=True, kw_only=True):
    """Pledge the sender's units: they stay the sender's, but only `beneficiary` or the operator can release them. `reference`: of the contract."""

    SCHEMA: ClassVar[str] = "lock_units"
    symbol: str
    beneficiary: int
    reference: str
    quantity_lots: int = 0
    ranges: list[str] = msgspec.field(default_factory=list)


class UnlockUnits(Document, frozen=True, kw_only=True):
    """Release a lock, or some of its units."""

    SCHEMA: ClassVar[str] = "unlock_units"
    lock: int
    quantity_lots: int = 0
    ranges: list[str] = msgspec.field(default_factory=list)


class FreezeUnits(Document, frozen=True, kw_only=True):
    """Stop units of an account by order of operator, registrar or regulator: a dispute, or the switch to another scheme."""

    SCHEMA: ClassVar[str] = "freeze_units"
    account: int
    symbol: str
    reference: str
    quantity_lots: int = 0
    ranges: list[str] = msgspec.field(default_factory=list)


class UnfreezeUnits(Document, frozen=True, kw_only=True):
    """End a freeze, or of some of its units."""

    SCHEMA: ClassVar[str] = "unfreeze_units"
    freeze: int
    reference: str
    quantity_lots: int = 0
    ranges: list[str] = msgspec.field(default_factory=list)


class WithdrawUnits(Document, frozen=True, kw_only=True):
    """Units end without a claim: issued in error, or given up for another scheme. With `freeze`, units of that freeze, else free ones."""

    SCHEMA: ClassVar[str] = "withdraw_units"
    account: int
    symbol: str
    reference: str
    freeze: int = 0
    quantity_lots: int = 0
    ranges: list[str] = msgspec.field(default_factory=list)


class PreferLots(Document, frozen=True, kw_only=True):
    """The ranges that the sender's next sales deliver first, in this order."""

    SCHEMA: ClassVar[str] = "prefer_lots"
    symbol: str
    ranges: list[str]


class DefineEligibility(Document, frozen=True, kw_only=True):
    """Make a listed instrument a basket that takes any unit which meets all criteria; an empty list asks nothing.

    `instrument_classes`: gec, cea, ccer, pcc. `schemes`: GEC, CEA ... as in serial numbers. `technologies`: kinds of devices; `sources`: ids of
    devices or projects. Vintages are YYYYMM, both ends included, 0: no end.
    """

    SCHEMA: ClassVar[str] = "define_eligibility"
    symbol: str
    instrument_classes: list[str] = msgspec.field(default_factory=list)
    schemes: list[str] = msgspec.field(default_factory=list)
    technologies: list[str] = msgspec.field(default_factory=list)
    sources: list[int] = msgspec.field(default_factory=list)
    vintage_from: int = 0
    vintage_to: int = 0


class ConvertUnits(Document, frozen=True, kw_only=True):
    """The sender's units of one instrument into a basket, or from a basket back into the instrument they were issued for. Serial numbers stay."""

    SCHEMA: ClassVar[str] = "convert_units"
    symbol: str
    to_symbol: str
    quantity_lots: int = 0
    ranges: list[str] = msgspec.field(default_factory=list)


UNITS: Final[tuple[type[Document], ...]] = (
    TransferUnits, LockUnits, UnlockUnits, FreezeUnits, UnfreezeUnits, WithdrawUnits, PreferLots, DefineEligibility, ConvertUnits,
)  # fmt: skip
