"""Deadlines that Python fires, as if at their own time: those that move a trading phase, and the others by their rooms."""

from typing import TYPE_CHECKING

from exchange.market.calendar import is_last_close_of_day, is_open, next_midnight_ns, next_transition
from exchange.market.instruments import Instrument
from exchange.market.phases import CALL_PHASES, PhaseEvent, next_phase
from exchange.order_path import dead_mans_switch
from exchange.order_path.auctions import follow_phase, hold_auction, is_end_of_call, opening_event, resume_event
from exchange.order_path.business import approvals, credit_deadlines, expiry, keys
from exchange.order_path.business.block_trades import expire_proposal
from exchange.order_path.business.network import dispatch_at_gate
from exchange.order_path.business.one_way_auctions import end_auction
from exchange.order_path.business.units import begin_day
from exchange.order_path.daily_close import fix_close
from exchange.order_path.deadlines import add_deadline, pop_deadline
from exchange.order_path.loop import begin_command
from exchange.order_path.orders import expire_instrument
from exchange.order_path.state import DeadlineKind
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.instrument_class import Resale

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_EVENTS = {
    DeadlineKind.CLOSING_CALL: PhaseEvent.GATHER_CLOSING,
    DeadlineKind.CLOSE: PhaseEvent.CLOSE,
    DeadlineKind.DELIVER: PhaseEvent.DELIVER,
}


def schedule_phases(exchange: "Exchange", instrument: Instrument, now_ns: int) -> None:
    """Enter the deadlines of a newly listed instrument."""
    spec = instrument.spec
    if instrument.is_power:
        for at_ns, kind in _day_of(spec):
            exchange.make_deadline_room()
            add_deadline(exchange.state, at_ns, int(kind), instrument.id)  # a plain number: Numba looks up what an enumeration is at every call
        return
    if instrument.resale is Resale.NEXT_DAY and not exchange.rooms.midnight_is_scheduled:
        exchange.rooms.midnight_is_scheduled = True
        schedule_midnight(exchange, now_ns)
    if is_open(spec.calendar, now_ns):
        move_phase(exchange, instrument, PhaseEvent.OPEN)
    _schedule_session(exchange, instrument, now_ns)


def _day_of(spec: InstrumentSpec) -> list[tuple[int, DeadlineKind]]:
    """Deadlines of a power contract: at one time the end of the opening call fires before the closing call, and that before the gate."""
    day = [(spec.open_ns, DeadlineKind.OPEN)]
    if spec.opening_auction_ns:
        day.append((spec.open_ns + spec.opening_auction_ns, DeadlineKind.CALL_END))
    if spec.closing_auction_ns:
        day.append((spec.close_ns - spec.closing_auction_ns, DeadlineKind.CLOSING_CALL))
    return [*day, (spec.close_ns, DeadlineKind.CLOSE), (spec.delivery_end_ns, DeadlineKind.DELIVER)]


def schedule_midnight(exchange: "Exchange", now_ns: int) -> None:
    """Units bought today become sellable at the next local midnight."""
    exchange.make_deadline_room()
    add_deadline(exchange.state, next_midnight_ns(now_ns), DeadlineKind.MIDNIGHT, 0)


def fire_deadline(exchange: "Exchange", sequence: int) -> None:
    """Fire the earliest deadline, which is not an order's."""
    deadline = exchange.state.deadlines[0]
    at_ns, kind, ref, deadline_id = int(deadline.at_ns), DeadlineKind(int(deadline.kind)), int(deadline.ref), int(deadline.id)
    pop_deadline(exchange.state)
    begin_command(exchange.state, sequence, at_ns)
    if kind is DeadlineKind.MIDNIGHT:
        begin_day(exchange)
        schedule_midnight(exchange, at_ns)
        return
    if kind is DeadlineKind.BLOCK_EXPIRY:
        expire_proposal(exchange, ref)
        return
    if kind is DeadlineKind.AUCTION_END:
        end_auction(exchange, ref)
        return
    if kind is DeadlineKind.CANCEL_AFTER:
        dead_mans_switch.fire(exchange, ref, deadline_id)
        return
    if kind is DeadlineKind.PROPOSAL_EXPIRY:
        approvals.expire(exchange, ref)
        return
    if kind is DeadlineKind.KEY_EXPIRY:
        keys.expire_key(exchange, ref)
        return
    if kind is DeadlineKind.CREDIT_PERIOD:
        credit_deadlines.fire(exchange, ref)
        return
    if kind is DeadlineKind.UNIT_EXPIRY:
        expiry.expire(exchange, ref)
        return
    instrument = exchange.rooms.instruments.by_id[ref]
    if kind is DeadlineKind.SESSION:
        opens = is_open(instrument.spec.calendar, at_ns)
        move_phase(exchange, instrument, opening_event(exchange, instrument) if opens else PhaseEvent.PAUSE)
        if not opens and is_last_close_of_day(at_ns):
            exchange.make_output_room(int(exchange.state.instruments[instrument.slot].open_orders))
            expire_instrument(exchange.state, instrument.slot, True)
            fix_close(exchange, instrument)
        _schedule_session(exchange, instrument, at_ns)
        return
    if kind is DeadlineKind.OPEN:
        move_phase(exchange, instrument, opening_event(exchange, instrument))
    elif kind is not DeadlineKind.CALL_END:
        move_phase(exchange, instrument, _EVENTS[kind])
    elif is_end_of_call(exchange, instrument, at_ns):
        move_phase(exchange, instrument, PhaseEvent.UNCROSS)


def move_phase(exchange: "Exchange", instrument: Instrument, event: PhaseEvent) -> bool:
    """Apply one event of the phase table. False when the event does not apply.

    The end of a call phase holds its auction first; gate closure expires every order that rests then.
    """
    phase = next_phase(instrument.phase, event)
    if phase is None:
        return False
    if instrument.phase in CALL_PHASES and event in {PhaseEvent.UNCROSS, PhaseEvent.CLOSE}:
        hold_auction(exchange, instrument)
    instrument.phase = phase
    exchange.state.instruments[instrument.slot].phase = int(phase)
    if event is PhaseEvent.CLOSE:
        exchange.make_output_room(int(exchange.state.instruments[instrument.slot].open_orders))
        expire_instrument(exchange.state, instrument.slot, False)
        dispatch_at_gate(exchange, instrument)
    if phase in CALL_PHASES:
        follow_phase(exchange, instrument)
        exchange.notify_phase(instrument)
    else:
        exchange.notify_phase(instrument)
        follow_phase(exchange, instrument)
    return True


def resume(exchange: "Exchange", instrument: Instrument, now_ns: int) -> bool:
    """End a halt: back to what the calendar, the time and the book say."""
    if not move_phase(exchange, instrument, resume_event(exchange, instrument, now_ns)):
        return False
    if not instrument.is_power and not is_open(instrument.spec.calendar, now_ns):
        move_phase(exchange, instrument, PhaseEvent.PAUSE)
    return True


def _schedule_session(exchange: "Exchange", instrument: Instrument, now_ns: int) -> None:
    transition = next_transition(instrument.spec.calendar, now_ns)
    if transition is not None:
        exchange.make_deadline_room()
        add_deadline(exchange.state, transition[0], DeadlineKind.SESSION, instrument.id)
