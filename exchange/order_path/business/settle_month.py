"""Settlement of a month within the fold: its settled days summed, then green contracts, tariffs and mechanism price."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from exchange.order_path.business.day_gathering import open_power
from exchange.order_path.business.rules import Caller, Handler, Result, require
from exchange.order_path.business.settle import post
from exchange.order_path.business.settlement_terms import require_month
from exchange.protocol.document import Document
from exchange.protocol.value_chain.settlement import SettleMonth
from exchange.registry.months import month_at, start_of_month_ns
from exchange.settlement.month import MonthInput
from exchange.settlement.month import settle_month as settle
from exchange.settlement.record import FACTS

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_PRICE_LIMIT_MICRO: Final = 10**9


def settle_month(exchange: "Exchange", document: SettleMonth, caller: Caller) -> Result:
    """A month that is over and whose days have all been settled."""
    number = require_month(document.month)
    start_ns, end_ns = start_of_month_ns(number), start_of_month_ns(number + 1)
    months = exchange.rooms.months
    require(end_ns <= caller.stamp_ns, "month_is_not_over")
    require(document.run == months.count(document.month) + 1, "run_is_not_the_next")
    require(abs(document.reference_micro_per_kwh) <= _PRICE_LIMIT_MICRO, "price_out_of_range")
    unsettled = (instrument.spec.delivery_start_ns for instrument in open_power(exchange, blocks=False))
    require(not any(start_ns <= at_ns < end_ns for at_ns in unsettled), "month_has_open_days")
    month = _gather(exchange, document, number)
    require(month.days > 0, "month_has_no_settled_day")
    result = settle(month, months.get(document.month))
    post(exchange, result.postings)
    months.add(replace(result.settlement, sequence=exchange.last_sequence))
    contracts = [[c.contract, c.environment_wh, c.generator_short_wh, c.buyer_short_wh] for c in result.contracts]
    exchange.notify("settled_month", {"month": document.month, "run": document.run, "contracts": contracts})
    return {"month": document.month, "days": month.days, "run": document.run, "contracts": contracts}


def _gather(exchange: "Exchange", document: SettleMonth, number: int) -> MonthInput:
    """What the last runs over the month's days say, by account."""
    members = list(exchange.rooms.participants.by_id.values())
    accounts = np.array([member.id for member in members], np.int64)
    facts = np.zeros((len(FACTS), len(accounts)), np.int64)
    peak = FACTS.index("peak_wh")
    days = 0
    for record in exchange.rooms.settlements.last_runs():
        if record.start_ns and month_at(record.start_ns) == number:
            days += 1
            rows = np.searchsorted(accounts, record.accounts)
            highest = np.maximum(facts[peak, rows], record.facts[peak])
            facts[:, rows] += record.facts
            facts[peak, rows] = highest
    terms, cash = exchange.rooms.terms, exchange.state.accounts
    return MonthInput(
        month=document.month,
        start_ns=start_of_month_ns(number),
        days=days,
        accounts=accounts,
        names=tuple(member.name for member in members),
        roles=tuple(str(member.role) for member in members),
        facts=facts,
        tariffs=[terms.tariff_at(member.id, start_of_month_ns(number)) for member in members],
        contracts=terms.contracts_of(number),
        reference_micro_per_kwh=document.reference_micro_per_kwh,
        available_micro=np.asarray(cash.balance_micro[accounts] - cash.held_micro[accounts], np.int64),
    )


HANDLERS: Final[dict[type[Document], Handler]] = {SettleMonth: settle_month}
