"""Settlement of a day within the fold: gather the day from the arrays, settle it, post it, release its holds and free its instruments."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exchange.ledger.postings import post_settlement, release_position_holds
from exchange.market.instruments import Instrument
from exchange.market.phases import Phase, PhaseEvent, next_phase
from exchange.order_path.business.listing import leave_instrument
from exchange.protocol.documents import SettleDay
from exchange.settlement.day import settle_day
from exchange.settlement.day_input import NO_NOMINATION, BlockTrades, DayInput, check_day
from exchange.units import PERIOD_NS, POWER_LOT_WH

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


def settle(exchange: "Exchange", document: SettleDay) -> tuple[str | None, dict[str, Any]]:
    """(rule that refuses the day or None, answer). Nothing changes when it is refused."""
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
    day = _gather(exchange, document.day, periods, adders)
    problem = check_day(day)
    if problem is not None:
        return str(problem).lower(), {}
    result = settle_day(day)
    for instrument in periods:
        release_position_holds(exchange.state, instrument.slot)
    rows = result.posting_rows().view(np.recarray)
    posted = 0
    while posted < len(rows):
        exchange.make_output_room(1)
        posted = post_settlement(exchange.state, rows, posted)
    exchange.rooms.settlements[document.day] = result.settlement
    exchange.rooms.meters.mark_settled(int(start_ns) for start_ns in day.period_starts_ns)
    for instrument in periods:
        _close(exchange, instrument)
    for block in finished_blocks(exchange):
        _close(exchange, block)
    exchange.notify("settled", {"day": document.day, "periods": len(periods)})
    return None, {"day": document.day, "periods": len(periods)}


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


def _block_trades(exchange: "Exchange", starts_ns: list[int], accounts: NDArray[np.int64]) -> BlockTrades | None:
    """The part of all trades of open blocks that is delivered in the given periods; a block's value is the same in each of its own."""
    totals = np.zeros((4, len(accounts)), np.int64)
    wanted_ns = set(starts_ns)
    for block in exchange.rooms.instruments.open.values():
        if block.is_block:
            periods = len(wanted_ns.intersection(range(block.spec.delivery_start_ns, block.spec.delivery_end_ns, PERIOD_NS)))
            rows = exchange.state.positions[block.slot, accounts]
            totals[0] += rows["bought_lots"] * periods * POWER_LOT_WH
            totals[1] += rows["sold_lots"] * periods * POWER_LOT_WH
            totals[2] += rows["bought_micro"] // block.periods * periods
            totals[3] += rows["sold_micro"] // block.periods * periods
    if not totals.any():
        return None
    return BlockTrades(bought_wh=totals[0], sold_wh=totals[1], bought_micro=totals[2], sold_micro=totals[3])


def _adders(exchange: "Exchange", document: SettleDay) -> dict[int, int] | None:
    adders = {}
    for text, adder in document.voltage_adders_micro_per_kwh.items():
        if not text.isascii() or not text.isdigit() or int(text) not in exchange.rooms.participants.by_id:
            return None
        adders[int(text)] = adder
    return adders


def _gather(exchange: "Exchange", day: str, periods: list[Instrument], adders: dict[int, int]) -> DayInput:
    """The day as arrays of [account, period], accounts by id."""
    members = list(exchange.rooms.participants.by_id.values())
    accounts = np.array([member.id for member in members], np.int64)
    starts_ns = [instrument.spec.delivery_start_ns for instrument in periods]
    cells = exchange.state.positions[np.ix_(np.array([instrument.slot for instrument in periods]), accounts)]

    def column(name: str) -> Any:
        return np.ascontiguousarray(cells[name].T)

    def of_spec(name: str) -> Any:
        return np.array([getattr(instrument.spec, name) for instrument in periods], np.int64)

    nominations = np.full((len(members), len(periods)), NO_NOMINATION, np.int64)
    for (account, instrument_id), injection_wh in exchange.rooms.nominations.items():
        for index, instrument in enumerate(periods):
            if instrument.id == instrument_id:
                nominations[int(np.searchsorted(accounts, account)), index] = injection_wh
    metered = exchange.rooms.meters.metered_accounts()
    cash = exchange.state.accounts
    return DayInput(
        day=day,
        accounts=accounts,
        names=tuple(member.name for member in members),
        roles=tuple(str(member.role) for member in members),
        symbols=tuple(instrument.symbol for instrument in periods),
        period_starts_ns=np.array(starts_ns, np.int64),
        deficit_price_ticks=of_spec("deficit_price_ticks"),
        surplus_price_ticks=of_spec("surplus_price_ticks"),
        park_fee_lot_micro=of_spec("park_fee_lot_micro"),
        contract_price_ticks=np.array([exchange.rooms.contract_price_ticks.get(i.id, 0) for i in periods], np.int64),
        net_lots=column("net_lots"),
        contract_lots=column("contract_lots"),
        bought_lots=column("bought_lots"),
        sold_lots=column("sold_lots"),
        bought_value_micro=column("bought_micro"),
        sold_value_micro=column("sold_micro"),
        trading_fee_micro=column("fees_micro"),
        held_park_fee_micro=column("held_park_fee_micro"),
        held_guarantee_micro=column("held_guarantee_micro"),
        nomination_wh=nominations,
        voltage_adder_micro_per_kwh=np.array([adders.get(member.id, 0) for member in members], np.int64),
        available_micro=np.array([int(cash[a].balance_micro) - int(cash[a].held_micro) for a in accounts], np.int64),
        must_be_metered=np.array([member.id in metered for member in members], np.bool_),
        readings=exchange.rooms.meters.read(accounts.tolist(), starts_ns),
        blocks=_block_trades(exchange, starts_ns, accounts),
    )


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
