"""What the gateway needs of the node and of the exchange inside it. The gateway lies below the node, so it names the shape, not the class."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from exchange.accounts.approvals import Proposal
from exchange.accounts.audit import AuditEntry
from exchange.accounts.keys import EndedKey, RegisteredKey
from exchange.accounts.participants import Participant
from exchange.carbon.park_scheme import Performance
from exchange.market.block_proposals import BlockProposal
from exchange.market.instruments import Instrument
from exchange.market.one_way_auctions import OneWayAuction, SealedBid
from exchange.order_path.credit_queries import CompliancePosition, ProjectView
from exchange.order_path.dry_run import Trial
from exchange.order_path.path import BatchResult
from exchange.order_path.queries import AuctionState, Balances, OpenOrder, Position
from exchange.order_path.tables import Rooms
from exchange.stages import Stages


class ExchangeView(Protocol):
    """Read side of the exchange. Every answer is a copy; nothing here may change state."""

    @property
    def last_sequence(self) -> int: ...

    @property
    def now_ns(self) -> int: ...

    @property
    def rooms(self) -> Rooms: ...

    def participants(self) -> Iterable[Participant]: ...

    def last_price(self, symbol: str) -> int | None: ...

    def instrument(self, symbol: str) -> Instrument | None: ...

    def instruments(self) -> Iterable[Instrument]: ...

    def instrument_by_id(self, instrument_id: int) -> Instrument: ...

    def account(self, account: int) -> Participant | None: ...

    def key(self, key_id: str) -> RegisteredKey | None: ...

    def ended_key(self, key_id: str) -> EndedKey | None: ...

    def balances(self, account: int) -> Balances: ...

    def positions(self, account: int, symbol: str | None = None) -> Iterable[Position]: ...

    def open_orders(self, account: int) -> Iterable[OpenOrder]: ...

    def depth(self, symbol: str, side: int, levels: int) -> npt.NDArray[np.void]: ...

    def shown_orders(self, symbol: str) -> Sequence[tuple[int, int, int, int]]: ...

    def queue_position(self, account: int, order_id: int) -> tuple[str, int, int] | None: ...

    def phase_end_ns(self, symbol: str) -> int: ...

    def indication(self, symbol: str) -> AuctionState | None: ...

    def book_seq(self, symbol: str) -> int: ...

    def execution_seq(self, account: int) -> int: ...

    def block_proposals(self, account: int) -> Iterable[BlockProposal]: ...

    def block_proposal(self, proposal_id: int) -> BlockProposal | None: ...

    def one_way_auctions(self) -> Iterable[OneWayAuction]: ...

    def one_way_auction(self, auction_id: int) -> OneWayAuction | None: ...

    def own_bids(self, account: int) -> Iterable[tuple[int, SealedBid]]: ...

    def dry_run(self, records: npt.NDArray[np.void], now_ns: int) -> Sequence[Trial]: ...

    def switch(self, account: int, label: int | None) -> tuple[int, int] | None: ...

    def approval_proposal(self, proposal_id: int) -> Proposal | None: ...

    def statement(self, account: int, day: str) -> Any: ...

    def settlement(self, day: str) -> Any: ...

    def compliance_years(self, account: int) -> list[int]: ...

    def compliance_position(self, account: int, year: int) -> CompliancePosition | None: ...

    def credit_projects(self, account: int | None = None) -> list[ProjectView]: ...

    def park_performances(self, account: int | None = None) -> list[tuple[str, Performance]]: ...


# (bucket, low, high, lots, sum of price times lots, trades, open, close) in ticks and lots; bucket b begins at offset + b * interval.
CandleRow = tuple[int, int, int, int, int, int, int, int]


class History(Protocol):
    """What the read model keeps beyond the gateway's memory. Blocks: to be asked in a thread. Raises HistoryUnavailableError while it is away."""

    def executions(self, account: int, from_seq: int, limit: int) -> tuple[int, list[dict[str, Any]]]: ...

    def candles(
        self, instrument: int, interval_ns: int, offset_ns: int, from_ns: int, to_ns: int, limit: int
    ) -> tuple[int, list[CandleRow]]: ...

    def audit_entries(self, from_number: int, limit: int) -> list[AuditEntry]: ...


class ClockView(Protocol):
    def now_ns(self) -> int: ...

    @property
    def in_doubt(self) -> bool:
        """Whether the wall clock was stepped, so that no command is taken."""
        ...


class CommandAnswer(Protocol):
    """Outcome of one durable and applied command."""

    @property
    def outcome(self) -> np.void: ...

    @property
    def result(self) -> dict[str, Any] | None: ...


class NodePort(Protocol):
    """Where commands go. An answer resolves when its command is durable and applied.

    Listeners are called once a batch, in the loop's thread, before whoever awaits its answers runs. `submit` raises when it takes nothing; an error
    with a RejectCode as `code` says why.
    """

    @property
    def exchange(self) -> ExchangeView: ...

    @property
    def clock(self) -> ClockView: ...

    @property
    def epoch(self) -> int: ...

    @property
    def accepting(self) -> bool: ...

    @property
    def failure(self) -> BaseException | None:
        """What ended the order path for good; only a restart recovers from it."""
        ...

    async def until_failed(self) -> BaseException:
        """Wait for `failure`, as long as there is none."""
        ...

    @property
    def stages(self) -> Stages:
        """How long groups take; the gateway adds its own steps."""
        ...

    @property
    def queued(self) -> int: ...

    @property
    def listeners(self) -> list[Callable[[BatchResult], None]]: ...

    def submit(self, record: npt.NDArray[np.void], document: bytes = b"") -> Awaitable[CommandAnswer]: ...

    def submit_many(self, records: npt.NDArray[np.void]) -> Sequence[Awaitable[CommandAnswer]]: ...

    def confirm_clock(self, record: npt.NDArray[np.void], document: bytes) -> Awaitable[CommandAnswer]:
        """As `submit`, for the document that confirms a wall clock in doubt."""
        ...

    def drain(self) -> None:
        """From here on take nothing but the ends of sessions."""
        ...

    def submit_batch(
        self,
        records: npt.NDArray[np.void],
        done: Callable[[npt.NDArray[np.void], dict[int, dict[str, Any]]], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Records without documents and baskets. `done` gets the outcomes of the next of them, `failed` says that nothing is known of any more."""
