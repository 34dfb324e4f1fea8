"""Call phases and their auctions: the book of an instrument goes with its phase, and each call phase ends in an UNCROSS.

An auction is posted like any other fill, at the time of the deadline that ends its call phase. docs/rules.md, "Auctions", has the rules.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from exchange.market.auction_terms import dynamic_band, reference_ticks
from exchange.market.instruments import Instrument
from exchange.market.phases import CALL_PHASES, Phase, PhaseEvent, next_phase
from exchange.order_path.deadlines import add_deadline
from exchange.order_path.post import post_events
from exchange.order_path.state import DeadlineKind
from matching.auction import NO_K, uncross
from matching.compile import kernel
from matching.long_way import change_phase, set_band
from matching.records import BookPhase, EntryFlag, EntryKind, Need, UncrossFlag
from matching.room import any_needs

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

# Typed, so that a call with a constant is not compiled apart from one with a variable.
NO_ORDER = np.int64(0)
NOBODY = np.int64(0)
START = np.int64(0)
K_PRICE: Final = int(UncrossFlag.K_PRICE)


@kernel
def ask_of_book(state: Any, slot: int, kind: int, price_ticks: int, quantity_lots: int, stop_ticks: int, flags: int) -> tuple[int, int]:
    """Fill the scratch entry with an entry for the book of an instrument. Returns (Need, at_least): what it needs before it may run."""
    entry = state.entry[0]
    entry.kind = kind
    entry.book = state.instruments[slot].book
    entry.price_ticks = price_ticks
    entry.quantity_lots = quantity_lots
    entry.stop_ticks = stop_ticks
    entry["flags"] = flags
    return any_needs(state.books, np.int64(state.events.shape[0]), state.entry, START)


@kernel
def answer_of_book(state: Any, slot: int) -> None:
    """Run the scratch entry (UNCROSS, SET_PHASE or SET_BAND, for which there is room) and post what it does; events begin at state.events[0]."""
    entry = state.entry[0]
    book = np.int64(entry.book)
    n_events = START
    if entry.kind == EntryKind.UNCROSS:
        k = np.int64(entry.quantity_lots) if entry["flags"] & K_PRICE != 0 else np.int64(NO_K)
        n_events = uncross(state.books, state.events, START, book, np.int64(entry.price_ticks), k)
    elif entry.kind == EntryKind.SET_PHASE:
        n_events = change_phase(state.books, state.events, START, book, np.int64(entry.quantity_lots))
    else:
        set_band(state.books, entry)
    post_events(state, slot, n_events, NO_ORDER, NOBODY)


def _tell_book(
    exchange: "Exchange", instrument: Instrument, kind: EntryKind, price_ticks: int = 0, quantity_lots: int = 0, stop_ticks: int = 0, flags: int = 0
) -> None:
    """Room first, then the entry. An interruption that it sets off is taken over at once."""
    while True:
        need, at_least = ask_of_book(exchange.state, instrument.slot, int(kind), price_ticks, quantity_lots, stop_ticks, flags)
        if need == Need.NOTHING:
            break
        exchange.make_book_room(need, at_least)
    exchange.make_output_room(exchange.state.events.shape[0])
    exchange.make_deadline_room()
    answer_of_book(exchange.state, instrument.slot)
    take_over_interruption(exchange)


def book_gathers(exchange: "Exchange", instrument: Instrument) -> bool:
    """Whether orders stand in the book of an instrument that wait for an auction."""
    return exchange.core.phase(int(exchange.state.instruments[instrument.slot].book)) is BookPhase.AUCTION


def _reference(exchange: "Exchange", instrument: Instrument) -> int:
    return reference_ticks(exchange.state.instruments[instrument.slot], instrument.spec)


def hold_auction(exchange: "Exchange", instrument: Instrument) -> None:
    """UNCROSS the book of an instrument in a call phase, and tell what came of it."""
    k = instrument.spec.k_ppm if instrument.spec.auction_price_rule == "k" else None
    rule = {"quantity_lots": k, "flags": int(UncrossFlag.K_PRICE)} if k is not None else {"flags": int(EntryFlag.NONE)}
    _tell_book(exchange, instrument, EntryKind.UNCROSS, _reference(exchange, instrument), **rule)
    told = exchange.state.events[0]
    lots = int(told.quantity_lots) + (int(told.remaining_lots) << 32)
    price_ticks = int(told.price_ticks) if lots else None
    phase = instrument.phase.name.lower()
    exchange.notify("auction", {"symbol": instrument.symbol, "phase": phase, "price_ticks": price_ticks, "volume_lots": lots})


def follow_phase(exchange: "Exchange", instrument: Instrument) -> None:
    """Bring the end of the phase and the book of an instrument in line with the phase that it has just come to.

    PAUSED and HALTED leave both as they are: what was gathering goes on when trading does.
    """
    if instrument.phase in CALL_PHASES:
        _set_end(exchange, instrument)
        if not book_gathers(exchange, instrument):
            _tell_book(exchange, instrument, EntryKind.SET_PHASE, quantity_lots=BookPhase.AUCTION)
    elif instrument.phase not in {Phase.PAUSED, Phase.HALTED}:
        exchange.state.instruments[instrument.slot].phase_end_ns = 0
    if instrument.phase is Phase.CONTINUOUS:
        if instrument.spec.interruption_ppm:
            low_ticks, high_ticks = dynamic_band(instrument.spec, _reference(exchange, instrument))
            _tell_book(exchange, instrument, EntryKind.SET_BAND, low_ticks, stop_ticks=min(high_ticks, 2**31 - 1))
        if book_gathers(exchange, instrument):
            _tell_book(exchange, instrument, EntryKind.SET_PHASE, quantity_lots=BookPhase.CONTINUOUS)


def _set_end(exchange: "Exchange", instrument: Instrument) -> None:
    """End of the call phase; that of an interruption that has run out is set anew, with its deadline."""
    spec, row, now_ns = instrument.spec, exchange.state.instruments[instrument.slot], exchange.now_ns
    if instrument.phase is Phase.OPENING_AUCTION:
        row.phase_end_ns = spec.open_ns + spec.opening_auction_ns
    elif instrument.phase is Phase.CLOSING_AUCTION:
        row.phase_end_ns = spec.close_ns
    elif int(row.phase_end_ns) <= now_ns:
        # A book gathers only where one of the three is set.
        end_ns = now_ns + (spec.interruption_ns or spec.opening_auction_ns or spec.closing_auction_ns)
        row.phase_end_ns = min(end_ns, int(row.continuous_end_ns)) if row.continuous_end_ns else end_ns
        exchange.make_deadline_room()
        add_deadline(exchange.state, int(row.phase_end_ns), DeadlineKind.CALL_END, instrument.id)


def is_end_of_call(exchange: "Exchange", instrument: Instrument, at_ns: int) -> bool:
    """Whether a CALL_END deadline speaks of the call phase that is on: others may have overtaken the one that it was entered for."""
    if instrument.slot < 0 or instrument.phase not in {Phase.OPENING_AUCTION, Phase.INTERRUPTED}:
        return False
    return int(exchange.state.instruments[instrument.slot].phase_end_ns) == at_ns


def opening_event(exchange: "Exchange", instrument: Instrument) -> PhaseEvent:
    """How an instrument comes to trade: through its call phase, or through the one that a pause has cut off."""
    if instrument.spec.opening_auction_ns:
        return PhaseEvent.GATHER
    return PhaseEvent.INTERRUPT if book_gathers(exchange, instrument) else PhaseEvent.OPEN


def resume_event(exchange: "Exchange", instrument: Instrument, now_ns: int) -> PhaseEvent:
    """How a halt ends: in the phase that the time asks for. A call phase whose end fell into the halt is held again, as an interruption."""
    spec = instrument.spec
    if spec.closing_auction_ns and now_ns >= spec.close_ns - spec.closing_auction_ns:
        return PhaseEvent.RESUME_CLOSING
    if instrument.is_power and now_ns < spec.open_ns:
        return PhaseEvent.RESUME_WAITING
    if spec.opening_auction_ns and now_ns < spec.open_ns + spec.opening_auction_ns:
        return PhaseEvent.RESUME_OPENING
    return PhaseEvent.RESUME_INTERRUPTED if book_gathers(exchange, instrument) else PhaseEvent.RESUME


def take_over_interruption(exchange: "Exchange") -> None:
    """The compiled loop has interrupted instruments, a basket maybe several: their records beside the arrays follow, by id, and it is told."""
    counters = exchange.state.counters[0]
    if not counters.interrupted:
        return
    counters.interrupted = 0
    rows = exchange.state.instruments
    for instrument in exchange.rooms.instruments.open.values():
        if instrument.phase is Phase.INTERRUPTED or int(rows[instrument.slot].phase) != Phase.INTERRUPTED:
            continue
        phase = next_phase(instrument.phase, PhaseEvent.INTERRUPT)
        assert phase is not None, instrument.phase
        instrument.phase = phase
        exchange.notify_phase(instrument)
