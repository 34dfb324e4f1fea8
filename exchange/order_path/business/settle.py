"""Settlement of a day within the fold: gather the day from the arrays, settle it, post it, release its holds and free its instruments."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from exchange.ledger.postings import post_settlement, release_position_holds
from exchange.market.instruments import Instrument
from exchange.market.phases import Phase, PhaseEvent, next_phase
from exchange.order_path.business.day_gathering import gather, positions_of, regather
from exchange.order_path.business.granular import issue_granular
from exchange.order_path.business.listing import lay_out_schedule, leave_instrument
from exchange.order_path.level import Level
from exchange.protocol.documents import SettleDay
from exchange.settlement.charges import PostingRows
from exchange.settlement.day import DayResult, settle_day
from exchange.settlement.day_input import DayInput, check_day
from exchange.units import PERIOD_NS

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


def settle(exchange: "Exchange", document: SettleDay) -> tuple[str | None, dict[str, Any]]:
    """(rule that refuses the day or None, answer). Nothing changes when it is refused."""
    if document.run != 1:
        return _settle_again(exchange, document)
    periods = _periods(exchange, document)
    if not periods:
        return "no_periods_to_settle", {}
    if document.day in exchange.rooms.settlements:
        return "day_is_settled", {}
    if any(instrument.phase is not Phase.DELIVERED for instrument in periods):
        return "period_not_delivered", {}
    adders = _adders(exchange, document)
    if adders is None:
        return "unknown_account", {}
    day = gather(exchange, document.day, periods, adders)
    problem = check_day(day)
    if problem is not None:
        return str(problem).lower(), {}
    result = settle_day(day)
    for instrument in periods:
        release_position_holds(exchange.state, instrument.slot)
    post(exchange, result.postings)
    _keep(exchange, day, periods, result)
    exchange.rooms.meters.mark_settled(int(start_ns) for start_ns in day.period_starts_ns)
    for instrument in periods:
        _close(exchange, instrument)
    for block in finished_blocks(exchange):
        _close(exchange, block)
    lay_out_schedule(exchange.state)
    exchange.notify("settled", {"day": document.day, "periods": len(periods)})
    return None, {"day": document.day, "periods": len(periods)}


def _settle_again(exchange: "Exchange", document: SettleDay) -> tuple[str | None, dict[str, Any]]:
    """A later run over a settled day, by the positions, prices and rules of its time and the readings of now."""
    settlements = exchange.rooms.settlements
    if document.run != settlements.count(document.day) + 1:
        return "run_is_not_the_next", {}
    before, kept = settlements.get(document.day), settlements.positions(document.day)
    if before is None or kept is None:
        return "day_keeps_no_positions", {}
    if document.voltage_adders_micro_per_kwh:
        return "adders_are_those_of_the_first_run", {}
    day = regather(exchange, before, kept)
    problem = check_day(day)
    if problem is not None:
        return str(problem).lower(), {}
    result = settle_day(day, before)
    post(exchange, result.postings)
    settlements.add(replace(result.settlement, sequence=exchange.last_sequence))
    _note_contracts(exchange, day, result)
    exchange.notify("settled", {"day": document.day, "periods": len(day.symbols), "run": document.run})
    return None, {"day": document.day, "periods": len(day.symbols), "run": document.run, "adjustments": len(result.postings)}


def post(exchange: "Exchange", postings: PostingRows) -> None:
    """Post rows of money by the same compiled postings as fills."""
    rows = postings.view(np.recarray)
    posted = 0
    while posted < len(rows):
        exchange.make_output_room(1)
        posted = post_settlement(exchange.state, rows, posted)


def _keep(exchange: "Exchange", day: DayInput, periods: list[Instrument], result: DayResult) -> None:
    """The record of the day, and its green energy to the registry."""
    record = replace(result.settlement, sequence=exchange.last_sequence)
    has_value_chain = exchange.level >= Level.VALUE_CHAIN
    exchange.rooms.settlements.add(record, positions_of(day, periods) if has_value_chain else None, written_out=not has_value_chain)
    if result.output is not None:
        _note_contracts(exchange, day, result)
        issue_granular(exchange, result.output)


def _note_contracts(exchange: "Exchange", day: DayInput, result: DayResult) -> None:
    """What each green contract delivered on the day, by its last run."""
    if day.green is None or result.green is None:
        return
    for contract, delivered_wh in zip(day.green.contracts.tolist(), result.green.contract_wh.sum(axis=1).tolist(), strict=True):
        exchange.rooms.terms.delivered_wh.setdefault(contract, {})[day.day] = delivered_wh


def _periods(exchange: "Exchange", document: SettleDay) -> list[Instrument]:
    """Open quarter-hours of the day in order of delivery."""
    wanted = [
        instrument
        for instrument in exchange.rooms.instruments.open.values()
        if instrument.is_quarter_hour and document.day_start_ns <= instrument.spec.delivery_start_ns < document.day_end_ns
    ]
    return sorted(wanted, key=lambda instrument: (instrument.spec.delivery_start_ns, instrument.id))


def finished_blocks(exchange: "Exchange") -> list[Instrument]:
    """Open blocks that have been delivered and whose quarter-hours are all settled."""
    instruments = exchange.rooms.instruments.open.values()
    open_starts_ns = {instrument.spec.delivery_start_ns for instrument in instruments if instrument.is_quarter_hour}
    return [
        instrument
        for instrument in instruments
        if instrument.is_block
        and instrument.phase is Phase.DELIVERED
        and open_starts_ns.isdisjoint(range(instrument.spec.delivery_start_ns, instrument.spec.delivery_end_ns, PERIOD_NS))
    ]


def _adders(exchange: "Exchange", document: SettleDay) -> dict[int, int] | None:
    adders = {}
    for text, adder in document.voltage_adders_micro_per_kwh.items():
        if not text.isascii() or not text.isdigit() or int(text) not in exchange.rooms.participants.by_id:
            return None
        adders[int(text)] = adder
    return adders


def _close(exchange: "Exchange", instrument: Instrument) -> None:
    """A settled instrument leaves the arrays; its id and symbol stay."""
    settled = next_phase(instrument.phase, PhaseEvent.SETTLE)
    assert settled is not None, instrument.phase
    book = int(exchange.state.instruments[instrument.slot].book)
    leave_instrument(exchange.state, instrument)
    exchange.core.close_book(book)
    exchange.sync_books()
    exchange.rooms.instruments.close(instrument, settled)
    exchange.notify("phase", {"symbol": instrument.symbol, "phase": settled.name.lower()})
