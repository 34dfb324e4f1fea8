"""What can be asked of the state. Reads only; answers are values, never views into the arrays."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exchange.accounts.approvals import Proposal
from exchange.accounts.keys import EndedKey, RegisteredKey
from exchange.accounts.participants import Participant
from exchange.market.auction_terms import reference_ticks
from exchange.market.block_proposals import BlockProposal
from exchange.market.instruments import Instrument
from exchange.market.one_way_auctions import OneWayAuction, SealedBid
from exchange.market.phases import CALL_PHASES
from exchange.order_path.credit_queries import CreditQueries
from exchange.order_path.dead_mans_switch import ALL_LABELS
from exchange.order_path.state import COUNTER_AT, PathState
from exchange.settlement.statement import DaySettlement, Statement
from matching.orders import order_at
from matching.queries import owner_orders
from matching.records import EntryFlag, Side
from matching.state import HAS_COLD

if TYPE_CHECKING:
    from exchange.order_path.tables import Rooms
    from matching.core import MatchingCore

_SEQUENCE, _STAMP_NS = COUNTER_AT["sequence"], COUNTER_AT["stamp_ns"]


@dataclass(frozen=True, slots=True)
class Balances:
    """Cash of an account in micro-CNY; available = balance - held."""

    balance_micro: int
    held_micro: int
    available_micro: int


@dataclass(frozen=True, slots=True)
class Position:
    """One account in one instrument. Lots; bought positive. `locked_lots` are owned units that cannot be sold now."""

    symbol: str
    net_lots: int
    contract_lots: int
    open_buy_lots: int
    open_sell_lots: int
    locked_lots: int
    held_micro: int


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An open order as its owner sees it. Conditions as they still hold: 0 or None where there is none."""

    order_id: int
    client_order_id: str
    symbol: str
    side: Side
    price_ticks: int
    remaining_lots: int
    original_lots: int
    filled_lots: int
    time_in_force: int
    revision: int
    label: int
    expiry_ns: int
    waits: bool
    display_lots: int
    min_lots: int
    all_or_none: bool
    stop_ticks: int | None
    reduce_only: bool


@dataclass(frozen=True, slots=True)
class AuctionState:
    """What the auction of a call phase would come to now, and when it is held. `price_ticks` is None while nothing crosses."""

    price_ticks: int | None
    volume_lots: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class StorageState:
    """State of charge as of the start of the periods from `as_of_ns` on, and its range."""

    soc_wh: int
    soc_min_wh: int
    soc_max_wh: int
    period_limit_wh: int
    charge_ppm: int
    discharge_ppm: int
    as_of_ns: int


class Queries(CreditQueries):
    """Read side of the exchange; `Exchange` inherits it."""

    state: PathState
    core: "MatchingCore"
    rooms: "Rooms"

    @property
    def last_sequence(self) -> int:
        return int(self.state.counter_words[_SEQUENCE])

    @property
    def now_ns(self) -> int:
        """Stamp of the last command or deadline."""
        return int(self.state.counter_words[_STAMP_NS])

    @property
    def epoch(self) -> int:
        return int(self.state.counters[0].epoch)

    @property
    def event_hash(self) -> str:
        """Running hash of outcomes and executions, 16 hex digits."""
        return f"{int(self.state.counters[0].event_hash):016x}"

    def next_deadline_ns(self) -> int | None:
        """Time of the earliest deadline."""
        return int(self.state.deadlines[0].at_ns) if self.state.counters[0].n_deadlines else None

    def instruments(self) -> list[Instrument]:
        """All that were ever listed, by id."""
        return list(self.rooms.instruments.by_id.values())

    def instrument(self, symbol: str) -> Instrument | None:
        return self.rooms.instruments.by_symbol.get(symbol)

    def instrument_by_id(self, instrument_id: int) -> Instrument:
        return self.rooms.instruments.by_id[instrument_id]

    def account(self, account: int) -> Participant | None:
        return self.rooms.participants.by_id.get(account)

    def participants(self) -> list[Participant]:
        """All participants by id, the operator first."""
        return list(self.rooms.participants.by_id.values())

    def key(self, key_id: str) -> RegisteredKey | None:
        return self.rooms.participants.keys.get(key_id)

    def ended_key(self, key_id: str) -> EndedKey | None:
        return self.rooms.participants.ring.ended.get(key_id)

    def balances(self, account: int) -> Balances:
        row = self.state.accounts[account]
        return Balances(int(row.balance_micro), int(row.held_micro), int(row.balance_micro) - int(row.held_micro))

    def positions(self, account: int, symbol: str | None = None) -> list[Position]:
        """Positions that are not all zero, in open instruments by id, or in that one."""
        found = []
        of_symbol = self.rooms.instruments.by_symbol.get(symbol) if symbol is not None else None
        if symbol is None:
            instruments = list(self.rooms.instruments.open.values())
        else:
            instruments = [] if of_symbol is None or of_symbol.slot < 0 else [of_symbol]
        for instrument in instruments:
            row = self.state.positions[instrument.slot, account]
            position = Position(
                instrument.symbol,
                int(row.net_lots),
                int(row.contract_lots),
                int(row.open_buy_lots),
                int(row.open_sell_lots),
                int(row.unsellable_lots),
                int(row.held_park_fee_micro) + int(row.held_guarantee_micro),
            )
            if any((position.net_lots, position.contract_lots, position.open_buy_lots, position.open_sell_lots, position.held_micro)):
                found.append(position)
        return found

    def open_orders(self, account: int) -> list[OpenOrder]:
        """Resting orders of an account, oldest first."""
        slots = np.zeros(int(self.state.accounts[account].open_orders), np.int32)
        owner_orders(self.state.books, account, -1, slots)
        return [self._open_order(int(slot)) for slot in slots]

    def _open_order(self, order_slot: int) -> OpenOrder:
        order = order_at(self.state.books, order_slot)
        terms = self.state.terms[order_slot]
        return OpenOrder(
            int(order.order_id),
            client_order_id_of(terms),
            self._symbol_of_slot(int(terms.instrument_slot)),
            Side(int(terms.side)),
            int(order.price_ticks),
            int(order.remaining_lots),
            int(terms.original_lots),
            int(terms.filled_lots),
            int(terms.time_in_force),
            int(terms.revision),
            int(terms.label),
            int(terms.expiry_ns),
            *self._conditions(order_slot),
            bool(terms.reduce_only),
        )

    def _conditions(self, order_slot: int) -> tuple[bool, int, int, bool, int | None]:
        """(waits, display_lots, min_lots, all_or_none, stop_ticks) of an open order."""
        books = self.state.books
        if not int(books.orders[order_slot]["owner"]) & HAS_COLD:
            return False, 0, 0, False, None
        cold = books.cold[order_slot]
        flags = int(cold["flags"])
        beside = bool(flags & (EntryFlag.MINIMUM | EntryFlag.ALL_OR_NONE | EntryFlag.STOP))
        stop_ticks = int(cold["stop_ticks"]) if flags & EntryFlag.STOP else None
        min_lots = int(cold["min_lots"]) if flags & EntryFlag.MINIMUM else 0
        return beside, int(cold["display_lots"]), min_lots, bool(flags & EntryFlag.ALL_OR_NONE), stop_ticks

    def _symbol_of_slot(self, slot: int) -> str:
        return self.rooms.instruments.by_id[int(self.state.instruments[slot].id)].symbol

    def depth(self, symbol: str, side: int, levels: int) -> NDArray[np.void]:
        """Best levels of one side: price_ticks, quantity_lots, orders. Empty for a settled instrument."""
        instrument = self.rooms.instruments.by_symbol[symbol]
        if instrument.slot < 0:
            return self.core.depth(0, side, 0)
        return self.core.depth(int(self.state.instruments[instrument.slot].book), side, levels)

    def shown_orders(self, symbol: str) -> list[tuple[int, int, int, int]]:
        """(order id, side, price in ticks, shown lots) of every order in the ladder, bids first, best price first, by priority."""
        instrument = self.rooms.instruments.by_symbol[symbol]
        if instrument.slot < 0:
            return []
        views = self.core.dump_orders(int(self.state.instruments[instrument.slot].book))
        views = views[views["shown_lots"] > 0]
        return list(zip(*(views[name].tolist() for name in ("order_id", "side", "price_ticks", "shown_lots")), strict=True))

    def queue_position(self, account: int, order_id: int) -> tuple[str, int, int] | None:
        """(symbol, orders, shown lots before an own order at its price), both -1 for one that waits; None where the account has no such order."""
        slot = self.core.find_slot(order_id)
        if slot < 0 or int(order_at(self.state.books, slot).owner) != account:
            return None
        symbol = self._symbol_of_slot(int(self.state.terms[slot].instrument_slot))
        return (symbol, *(self.core.queue_position(order_id) or (-1, -1)))

    def best(self, symbol: str) -> tuple[int | None, int | None]:
        """(best bid, best ask) in ticks."""
        instrument = self.rooms.instruments.by_symbol[symbol]
        if instrument.slot < 0:
            return None, None
        book = int(self.state.instruments[instrument.slot].book)
        return self.core.best(book, Side.BUY), self.core.best(book, Side.SELL)

    def last_price(self, symbol: str) -> int | None:
        """Price of the last trade in ticks."""
        instrument = self.rooms.instruments.by_symbol[symbol]
        if instrument.slot < 0:
            return None
        price_ticks = int(self.state.instruments[instrument.slot].last_price_ticks)
        return price_ticks if price_ticks >= 0 else None

    def phase_end_ns(self, symbol: str) -> int:
        """When the call phase of an instrument ends; 0 in any other phase."""
        instrument = self.rooms.instruments.by_symbol[symbol]
        return int(self.state.instruments[instrument.slot].phase_end_ns) if instrument.phase in CALL_PHASES else 0

    def indication(self, symbol: str) -> AuctionState | None:
        """Price and volume of the auction that the orders gathered so far would make; None outside call phases."""
        instrument = self.rooms.instruments.by_symbol[symbol]
        if instrument.phase not in CALL_PHASES:
            return None
        row, spec = self.state.instruments[instrument.slot], instrument.spec
        k_ppm = spec.k_ppm if spec.auction_price_rule == "k" else None
        price_ticks, lots = self.core.indicative(int(row.book), reference_ticks(row, spec), k_ppm)
        return AuctionState(price_ticks if lots else None, lots, int(row.phase_end_ns))

    def book_seq(self, symbol: str) -> int:
        """Revision of the public book; 0 for a settled instrument."""
        instrument = self.rooms.instruments.by_symbol[symbol]
        return int(self.state.instruments[instrument.slot].book_seq) if instrument.slot >= 0 else 0

    def execution_seq(self, account: int) -> int:
        """Private sequence of an account's last execution."""
        return int(self.state.accounts[account].execution_seq)

    def storage(self, account: int) -> StorageState | None:
        index = int(self.state.accounts[account].storage)
        if index < 0:
            return None
        row = self.state.storages[index]
        names = ("soc_wh", "soc_min_wh", "soc_max_wh", "period_limit_wh", "charge_ppm", "discharge_ppm", "as_of_ns")
        return StorageState(*(int(row[name]) for name in names))

    def nomination(self, account: int, instrument_id: int) -> int | None:
        """Nominated injection in Wh."""
        return self.rooms.nominations.get((account, instrument_id))

    def block_proposals(self, account: int) -> list[BlockProposal]:
        """Block trades that an account proposed or is asked to confirm, oldest first, until the retention is over."""
        return [replace(proposal) for proposal in self.rooms.blocks.of_account(account)]

    def block_proposal(self, proposal_id: int) -> BlockProposal | None:
        """One proposal, for those whom it concerns."""
        proposal = self.rooms.blocks.by_id.get(proposal_id)
        return None if proposal is None else replace(proposal)

    def one_way_auctions(self) -> list[OneWayAuction]:
        """All one-way auctions by id, without their bids."""
        return [auction.without_bids() for auction in self.rooms.one_way.by_id.values()]

    def one_way_auction(self, auction_id: int) -> OneWayAuction | None:
        """One auction without its bids."""
        auction = self.rooms.one_way.by_id.get(auction_id)
        return None if auction is None else auction.without_bids()

    def own_bids(self, account: int) -> list[tuple[int, SealedBid]]:
        """(auction id, bid) of one account, which is the only one to ask, oldest first."""
        auctions = self.rooms.one_way.by_id.values()
        return [(auction.id, replace(bid)) for auction in auctions for bid in auction.bids.values() if bid.account == account]

    def switch(self, account: int, label: int | None) -> tuple[int, int] | None:
        """(timeout, time at which it fires) of an armed dead man's switch, in ns."""
        found = self.rooms.switches.by_owner.get((account, ALL_LABELS if label is None else label))
        return None if found is None else (found.timeout_ns, found.at_ns)

    def approval_proposal(self, proposal_id: int) -> Proposal | None:
        """One proposal for four eyes."""
        proposal = self.rooms.approvals.by_id.get(proposal_id)
        return None if proposal is None else replace(proposal)

    def settlement(self, day: str) -> DaySettlement | None:
        """The record of a settled day."""
        return self.rooms.settlements.get(day)

    def statement(self, account: int, day: str) -> Statement | None:
        """The statement of one account for a settled day."""
        record = self.rooms.settlements.get(day)
        return None if record is None else record.statement(account)

    def money_sum_micro(self) -> int:
        """Sum of all balances: zero at every moment."""
        return int(self.state.accounts.balance_micro.sum())


def client_order_id_of(record: Any) -> str:
    """Text of the words cid0..cid4 of a record."""
    words = b"".join(int(record[f"cid{i}"]).to_bytes(8 if i < 4 else 4, "little") for i in range(5))
    return words.rstrip(b"\0").decode("ascii")
