"""The tables of the rooms that run as plain Python between batches, beside the compiled state. All of them are folds of documents."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from exchange.accounts.approvals import Approvals
from exchange.accounts.audit import AuditLog
from exchange.accounts.participants import Participants
from exchange.carbon.books import CarbonBooks
from exchange.carbon.credits import CarbonCredits
from exchange.market.block_proposals import BlockProposals
from exchange.market.holds import Hold
from exchange.market.instruments import Instruments
from exchange.market.one_way_auctions import OneWayAuctions
from exchange.metering.devices import Devices
from exchange.metering.table import MeterTable
from exchange.order_path.dead_mans_switch import Switches
from exchange.registry.eligibility import Baskets
from exchange.registry.encumbrances import Encumbrances
from exchange.registry.registry import Registry
from exchange.settlement.statement import DaySettlement


@dataclass(slots=True)
class Rooms:
    """`nominations`: injection in Wh by (account, instrument id). `settlements`: what a settled day was, by its name.

    `level`: see exchange.order_path.level. `contract_price_ticks`: what monthly contracts say, by instrument id; information for statements.
    """

    participants: Participants = field(default_factory=Participants)
    instruments: Instruments = field(default_factory=Instruments)
    meters: MeterTable = field(default_factory=MeterTable)
    nominations: dict[tuple[int, int], int] = field(default_factory=dict)
    settlements: dict[str, DaySettlement] = field(default_factory=dict)
    contract_price_ticks: dict[int, int] = field(default_factory=dict)
    midnight_is_scheduled: bool = False
    blocks: BlockProposals = field(default_factory=BlockProposals)
    one_way: OneWayAuctions = field(default_factory=OneWayAuctions)
    switches: Switches = field(default_factory=Switches)
    approvals: Approvals = field(default_factory=Approvals)
    audit: AuditLog = field(default_factory=AuditLog)
    level: int = 0
    devices: Devices = field(default_factory=Devices)
    registry: Registry = field(default_factory=Registry)
    encumbrances: Encumbrances = field(default_factory=Encumbrances)
    baskets: Baskets = field(default_factory=Baskets)
    carbon: CarbonBooks = field(default_factory=CarbonBooks)
    credits: CarbonCredits = field(default_factory=CarbonCredits)

    def holds(self) -> Iterator[Hold]:
        """What is held beside the order books."""
        yield from self.blocks.holds()
        yield from self.one_way.holds()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened outside the order books: a phase changed, an instrument was listed, a key ended, the operator acted."""

    sequence: int
    stamp_ns: int
    kind: str
    data: dict[str, Any]
