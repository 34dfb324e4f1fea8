"""Settlement of a month: green contracts, network charges, mechanism price, by the same lines, charges and records as a day.

    result = settle_month(month)            # first run
    result = settle_month(month, before)    # a later run posts the differences

The environment part of a green contract is what both sides met: the least of contract energy, the generator's on-grid green energy and the buyer's
metered use of the month (三者取小). What is missing pays the agreed compensation: by the side that alone was short, and only for that part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.settlement.charges import Claim, MemberLine, PostingRows, charge_rows, credit_rows, posting_rows
from exchange.settlement.day_input import Int64Array
from exchange.settlement.lines import LineItem
from exchange.settlement.netting import TICK_WH_PER_MICRO
from exchange.settlement.record import FACTS, TOTALS, SettledDay
from exchange.settlement.rerun import as_adjustments
from exchange.settlement.tariffs import MonthUse, Tariff, month_charges
from exchange.settlement.terms import Contract
from exchange.units import divide_half_even


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonthInput:
    """n accounts by increasing id, and what their settled days of the month come to: FACTS summed (the peak is the highest), [len(FACTS), n]."""

    month: str
    start_ns: int
    days: int
    accounts: Int64Array
    names: tuple[str, ...]
    roles: tuple[str, ...]
    facts: Int64Array
    tariffs: Sequence[Tariff | None]  # n
    contracts: Sequence[Contract]
    reference_micro_per_kwh: int
    available_micro: Int64Array  # [n]


@dataclass(frozen=True, slots=True)
class ContractMonth:
    """What a green contract came to. Missing volume is charged to the side that alone was short."""

    contract: int
    environment_wh: int
    generator_short_wh: int
    buyer_short_wh: int


@dataclass(frozen=True, slots=True, eq=False)
class MonthResult:
    postings: PostingRows
    claims: tuple[Claim, ...]
    settlement: SettledDay
    contracts: tuple[ContractMonth, ...]


# Lines of a month in the order they are charged, with the house account on the other side.
_HOUSES: Final = {
    LineItem.ENVIRONMENT_SOLD: (PostingReason.ENVIRONMENT, House.CLEARING),
    LineItem.ENVIRONMENT: (PostingReason.ENVIRONMENT, House.CLEARING),
    LineItem.DEVIATION: (PostingReason.DEVIATION, House.CLEARING),
    LineItem.CAPACITY_CHARGE: (PostingReason.CAPACITY_CHARGE, House.NETWORK_TARIFF),
    LineItem.NETWORK_ENERGY: (PostingReason.NETWORK_ENERGY, House.NETWORK_TARIFF),
    LineItem.DEMAND_CHARGE: (PostingReason.DEMAND_CHARGE, House.NETWORK_TARIFF),
    LineItem.MECHANISM: (PostingReason.MECHANISM, House.GRID),
}
_NETWORK: Final = (LineItem.CAPACITY_CHARGE, LineItem.NETWORK_ENERGY, LineItem.DEMAND_CHARGE)


def contract_months(month: MonthInput) -> tuple[ContractMonth, ...]:
    """Green contracts by id; what one takes of an account's energy is gone for the next."""
    row = {account: place for place, account in enumerate(month.accounts.tolist())}
    on_grid = month.facts[FACTS.index("green_on_grid_wh")].tolist()
    use = month.facts[FACTS.index("withdrawal_wh")].tolist()
    found = []
    for contract in month.contracts:
        generator, buyer = row[contract.generator], row[contract.buyer]
        made, used, agreed = on_grid[generator], use[buyer], contract.energy_wh
        environment_wh = min(agreed, made, used)
        found.append(ContractMonth(contract.id, environment_wh, max(min(agreed, used) - made, 0), max(min(agreed, made) - used, 0)))
        on_grid[generator] -= environment_wh
        use[buyer] -= environment_wh
    return tuple(found)


def settle_month(month: MonthInput, before: SettledDay | None = None) -> MonthResult:
    """Settle a month whose days have been settled; with `before` post the differences to that run."""
    contracts = contract_months(month)
    lines = {item: np.zeros((2, len(month.accounts)), np.int64) for item in _HOUSES}  # Wh and micro-CNY, received positive
    _add_contracts(month, contracts, lines)
    _add_tariffs(month, lines)
    moved = {item: values[1] if before is None else values[1] - _amounts_before(before, month.accounts, item) for item, values in lines.items()}
    postings, claims = _post(month, moved)
    items = tuple(item for item in LineItem if item in lines and lines[item].any())
    shape = (len(items), len(month.accounts))
    record = SettledDay(
        day=month.month, run=1 if before is None else before.run + 1, sequence=0, rules_version=0, start_ns=month.start_ns,
        symbols=("", "", month.days), accounts=month.accounts, names=month.names, roles=month.roles, items=items,
        energy_wh=np.array([lines[item][0] for item in items], np.int64).reshape(shape),
        amount_micro=np.array([lines[item][1] for item in items], np.int64).reshape(shape),
        postings=_places(items, month.accounts, postings),
        facts=month.facts,
        totals=np.zeros(len(TOTALS), np.int64),
        claims=tuple((claim.account, claim.amount_micro, int(claim.reason)) for claim in claims),
    )  # fmt: skip
    return MonthResult(postings if before is None else as_adjustments(postings), claims, record, contracts)


def _add_contracts(month: MonthInput, outcomes: tuple[ContractMonth, ...], lines: dict[LineItem, Int64Array]) -> None:
    row = {account: place for place, account in enumerate(month.accounts.tolist())}
    for contract, outcome in zip(month.contracts, outcomes, strict=True):
        buyer, generator = row[contract.buyer], row[contract.generator]
        value = divide_half_even(outcome.environment_wh * contract.environment_price_ticks, TICK_WH_PER_MICRO)
        lines[LineItem.ENVIRONMENT][:, buyer] += (outcome.environment_wh, -value)
        lines[LineItem.ENVIRONMENT_SOLD][:, generator] += (outcome.environment_wh, value)
        for payer, payee, short_wh in ((generator, buyer, outcome.generator_short_wh), (buyer, generator, outcome.buyer_short_wh)):
            compensation = divide_half_even(short_wh * contract.deviation_price_ticks, TICK_WH_PER_MICRO)
            lines[LineItem.DEVIATION][:, payer] += (short_wh, -compensation)
            lines[LineItem.DEVIATION][1, payee] += compensation


def _add_tariffs(month: MonthInput, lines: dict[LineItem, Int64Array]) -> None:
    use = zip(*(month.facts[FACTS.index(name)].tolist() for name in ("withdrawal_wh", "injection_wh", "peak_wh")), strict=True)
    for row, (tariff, own) in enumerate(zip(month.tariffs, use, strict=True)):
        if tariff is None:
            continue
        charges = month_charges(tariff, MonthUse(*own), month.reference_micro_per_kwh)
        lines[LineItem.CAPACITY_CHARGE][1, row] = -charges.capacity_micro
        lines[LineItem.NETWORK_ENERGY][:, row] = (own[0] if charges.energy_micro else 0, -charges.energy_micro)
        lines[LineItem.DEMAND_CHARGE][1, row] = -charges.demand_micro
        lines[LineItem.MECHANISM][:, row] = (charges.mechanism_wh, charges.mechanism_micro)


def _post(month: MonthInput, moved: dict[LineItem, Int64Array]) -> tuple[PostingRows, tuple[Claim, ...]]:
    """Credits first, then charges account by account, then what the network's charges pass on."""
    lines = [MemberLine(reason, house, moved[item]) for item, (reason, house) in _HOUSES.items()]
    charged, claims = charge_rows(month.accounts, month.available_micro, lines)
    passed_on = -sum(int(moved[item].sum()) for item in _NETWORK)
    rows = [
        *(credit_rows(month.accounts, line) for line in lines),
        charged,
        posting_rows(House.NETWORK_TARIFF, House.GRID, passed_on, PostingReason.CAPACITY_CHARGE),
    ]
    return np.concatenate(rows), claims


def _places(items: tuple[LineItem, ...], accounts: Int64Array, postings: PostingRows) -> Int64Array:
    """Index of the posting of each line and account, -1 where there is none."""
    places = np.full((len(items), len(accounts)), -1, np.int64)
    member = np.maximum(postings["debit"], postings["credit"]).astype(np.int64)
    for line, item in enumerate(items):
        chosen = np.flatnonzero((postings["reason"] == int(_HOUSES[item][0])) & (member >= accounts[0]))
        if item in {LineItem.ENVIRONMENT, LineItem.ENVIRONMENT_SOLD}:
            chosen = chosen[(postings["debit"][chosen] >= accounts[0]) == (item is LineItem.ENVIRONMENT)]
        places[line, np.searchsorted(accounts, member[chosen])] = chosen
    return places


def _amounts_before(before: SettledDay, accounts: Int64Array, item: LineItem) -> Int64Array:
    """Amounts of the run before in the rows of now: who was admitted since had none."""
    amounts = np.zeros(len(accounts), np.int64)
    amounts[np.searchsorted(accounts, before.accounts)] = before.amounts(item)
    return amounts
