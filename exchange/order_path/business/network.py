"""The network's limits, offers to be curtailed, and dispatch when a gate closes."""

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from exchange.market.instruments import Instrument
from exchange.market.phases import TRADING_PHASES
from exchange.order_path.business.rules import Caller, Handler, Result, listed, member, require
from exchange.protocol.document import Document
from exchange.protocol.value_chain.settlement import OfferCurtailment, SetNetwork
from exchange.settlement.dispatch import Dispatch, FeederLimit, Offer, curtail, network_problem, verified_wh
from exchange.units import POWER_LOT_WH, WH_PER_KWH, divide_half_even

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

Int64Array = NDArray[np.int64]

# 1,000 CNY/kWh.
_PRICE_LIMIT_MICRO: Final = 10**9
_ENERGY_LIMIT_WH: Final = 10**10


def set_network(exchange: "Exchange", document: SetNetwork, _caller: Caller) -> Result:
    """Another network for the gates that close from now on. What was curtailed stays."""
    feeders = [FeederLimit(feeder.name, feeder.import_limit_w, feeder.export_limit_w, feeder.parent) for feeder in document.feeders]
    connections = [(connection.account, connection.feeder) for connection in document.connections]
    problem = network_problem(feeders, connections)
    require(problem is None, str(problem))
    for account, _ in connections:
        member(exchange, account)
    require(0 <= document.compensation_micro_per_kwh <= _PRICE_LIMIT_MICRO, "price_out_of_range")
    old = exchange.rooms.dispatch
    exchange.rooms.dispatch = Dispatch(
        {feeder.name: feeder for feeder in feeders}, dict(connections), document.compensation_micro_per_kwh, old.offers, old.curtailed
    )
    exchange.notify("network", {"feeders": len(feeders), "connections": len(connections)})
    return {"feeders": len(feeders)}


def offer_curtailment(exchange: "Exchange", document: OfferCurtailment, caller: Caller) -> Result:
    """An offer until the gate of the period closes; another one replaces it."""
    instrument = listed(exchange, document.symbol)
    require(instrument.is_quarter_hour, "not_a_delivery_period")
    require(instrument.phase in TRADING_PHASES, "gate_has_passed")
    require(caller.account in exchange.rooms.dispatch.connections, "account_is_not_connected")
    require(0 <= document.energy_wh <= _ENERGY_LIMIT_WH, "energy_out_of_range")
    require(0 <= document.price_micro_per_kwh <= _PRICE_LIMIT_MICRO, "price_out_of_range")
    offers = exchange.rooms.dispatch.offers.setdefault(instrument.id, {})
    offers.pop(caller.account, None)
    if document.energy_wh:
        offers[caller.account] = Offer(caller.account, document.energy_wh, document.price_micro_per_kwh)
    if not offers:
        del exchange.rooms.dispatch.offers[instrument.id]
    return {"energy_wh": document.energy_wh}


def dispatch_at_gate(exchange: "Exchange", instrument: Instrument) -> None:
    """The gate of a quarter-hour has closed: schedules against limits."""
    dispatch = exchange.rooms.dispatch
    offers = dispatch.offers.pop(instrument.id, {})
    if not dispatch.feeders or not instrument.is_quarter_hour:
        return
    positions = exchange.state.positions[instrument.slot]
    schedules: dict[int, int] = {}
    for account in dispatch.connections:
        nominated_wh = exchange.rooms.nominations.get((account, instrument.id))
        position = positions[account]
        sold_wh = -(int(position["net_lots"]) + int(position["contract_lots"])) * POWER_LOT_WH
        schedules[account] = sold_wh if nominated_wh is None else nominated_wh
    cuts = curtail(dispatch, schedules, list(offers.values()))
    if cuts:
        dispatch.curtailed[instrument.id] = cuts
        rows = [[account, cut.energy_wh] for account, cut in sorted(cuts.items())]
        exchange.notify("curtailed", {"symbol": instrument.symbol, "energy_wh": rows})


def require_within_dispatch(exchange: "Exchange", account: int, instrument: Instrument, injection_wh: int) -> None:
    """A nomination after the gate keeps to what dispatch has left of the schedule. Raises BusinessRuleError."""
    cut = exchange.rooms.dispatch.curtailed.get(instrument.id, {}).get(account)
    if cut is not None:
        sign = 1 if cut.schedule_wh > 0 else -1
        require(sign * injection_wh <= abs(cut.schedule_wh) - cut.energy_wh, "nomination_beyond_dispatch")


def compensation(
    exchange: "Exchange", accounts: Int64Array, periods: list[Instrument], injection_wh: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """(Wh, micro-CNY) of verified curtailments by account; each curtailment rounds half-even once."""
    energy_wh, amount_micro = np.zeros(len(accounts), np.int64), np.zeros(len(accounts), np.int64)
    for column, instrument in enumerate(periods):
        for account, cut in exchange.rooms.dispatch.curtailed.get(instrument.id, {}).items():
            row = int(np.searchsorted(accounts, account))
            proven_wh = verified_wh(cut, int(injection_wh[row, column]))
            energy_wh[row] += proven_wh
            amount_micro[row] += divide_half_even(cut.cost_micro_wh * proven_wh, cut.energy_wh * WH_PER_KWH)
    return energy_wh, amount_micro


HANDLERS: Final[dict[type[Document], Handler]] = {SetNetwork: set_network, OfferCurtailment: offer_curtailment}
