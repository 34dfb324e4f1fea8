"""What the fold keeps of a settled day: whole columns, from which a statement is made when somebody asks for it.

A year of statements as objects would be a million of them in every state hash. So a day is a few arrays, hashed once; the state hash has that
digest and the snapshot the arrays (`Settlements`). Records of exchanges of before levels keep the form that their hashes were made of.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from exchange.ledger.records import PostingReason
from exchange.settlement.amounts import MemberAmounts
from exchange.settlement.charges import Claim, PostingRows
from exchange.settlement.day_input import NO_NOMINATION, DayInput, Int64Array, balance_error_wh
from exchange.settlement.lines import LineItem
from exchange.settlement.netting import ParkTotals
from exchange.units import POWER_LOT_WH

# Columns of an account beside its lines, in Wh, micro-CNY or periods.
STATEMENT_FACTS: Final = (
    "consumption_wh", "generation_wh", "park_fee_held_micro", "guarantee_held_micro", "claim_micro", "substituted_periods", "nominated_periods",
    "schedule_deviation_wh",
)  # fmt: skip
# The month is settled by these: drawn from and fed into the network, green of it, and the most drawn in a quarter-hour.
MONTH_FACTS: Final = ("withdrawal_wh", "injection_wh", "green_on_grid_wh", "peak_wh")
FACTS: Final = (*STATEMENT_FACTS, *MONTH_FACTS)
TOTALS: Final = (
    "grid_import_micro", "grid_export_micro", "netting_fund_micro", "losses_micro", "park_fee_micro", "trading_fee_micro", "voltage_adder_micro",
    "rounding_micro", "traded_wh", "delivered_wh", "deficit_wh", "surplus_wh", "netted_wh", "consumption_wh", "generation_wh", "grid_import_wh",
    "grid_export_wh", "losses_wh", "max_balance_error_wh", "paper_micro", "environment_micro", "environment_wh", "curtailed_wh",
)  # fmt: skip
# Which posting shows a line.
REASONS: Final = {
    LineItem.ENERGY_SOLD: PostingReason.ENERGY_DELIVERED,
    LineItem.DEFICIT: PostingReason.DEFICIT,
    LineItem.SURPLUS: PostingReason.SURPLUS,
    LineItem.NETTING_REFUND: PostingReason.NETTING_REFUND,
    LineItem.GREEN_CONTRACT: PostingReason.GREEN_CONTRACT,
    LineItem.ENVIRONMENT: PostingReason.ENVIRONMENT,
    LineItem.ENVIRONMENT_SOLD: PostingReason.ENVIRONMENT,
    LineItem.PARK_FEE: PostingReason.PARK_FEE,
    LineItem.VOLTAGE_ADDER: PostingReason.VOLTAGE_ADDER,
    LineItem.CURTAILMENT: PostingReason.CURTAILMENT,
}


@dataclass(frozen=True, slots=True, eq=False)
class SettledDay:
    """One run over a day: n accounts, L lines that are not zero for everybody.

    `postings[l, i]` is where the line of the account stands among the postings of the command, -1: nowhere. `run` counts from 1; `sequence` is
    the command that settled it, 0 while it has not been told.
    """

    day: str
    run: int
    sequence: int
    rules_version: int
    start_ns: int  # of the first period
    symbols: tuple[str, str, int]  # first, last, how many; of a month its days
    accounts: Int64Array  # [n]
    names: tuple[str, ...]  # n
    roles: tuple[str, ...]  # n
    items: tuple[LineItem, ...]  # L, in the order of the statement
    energy_wh: Int64Array  # [L, n]
    amount_micro: Int64Array  # [L, n]
    postings: Int64Array  # [L, n]
    facts: Int64Array  # [len(FACTS), n]
    totals: Int64Array  # [len(TOTALS)]
    claims: tuple[tuple[int, int, int], ...]  # account, micro-CNY, PostingReason

    def total(self, name: str) -> int:
        return int(self.totals[TOTALS.index(name)])

    def amounts(self, item: LineItem) -> Int64Array:
        """Amounts of a line by account, zero where nobody has it."""
        return self.amount_micro[self.items.index(item)] if item in self.items else np.zeros(len(self.accounts), np.int64)

    def energies(self, item: LineItem) -> Int64Array:
        """Energies of a line by account, zero where nobody has it."""
        return self.energy_wh[self.items.index(item)] if item in self.items else np.zeros(len(self.accounts), np.int64)


def record_day(
    day: DayInput, park: ParkTotals, amounts: MemberAmounts, claims: tuple[Claim, ...], rounding_micro: int, postings: PostingRows,
    on_grid_wh: Int64Array,
) -> SettledDay:  # fmt: skip
    """The record of a day settled with these amounts. `on_grid_wh`: green generation beyond own use, [n]."""
    lines = [(item, energy, amount) for item, energy, amount in _lines(day, amounts) if energy.any() or amount.any()]
    shape = (len(lines), len(day.accounts))
    items = tuple(item for item, _, _ in lines)
    return SettledDay(
        day=day.day,
        run=1,
        sequence=0,
        rules_version=day.rules.version,
        start_ns=int(day.period_starts_ns[0]),
        symbols=(day.symbols[0], day.symbols[-1], len(day.symbols)),
        accounts=day.accounts,
        names=day.names,
        roles=day.roles,
        items=items,
        energy_wh=np.array([energy for _, energy, _ in lines], np.int64).reshape(shape),
        amount_micro=np.array([amount for _, _, amount in lines], np.int64).reshape(shape),
        postings=_places(items, day.accounts, postings),
        facts=_facts(day, amounts, claims, on_grid_wh),
        totals=np.array(_totals(day, park, amounts, rounding_micro), np.int64),
        claims=tuple((claim.account, claim.amount_micro, int(claim.reason)) for claim in claims),
    )


def _lines(day: DayInput, amounts: MemberAmounts) -> Iterable[tuple[LineItem, Int64Array, Int64Array]]:
    """(line, energy, amount) in the order of the statement; what is not here is always empty."""
    trades = day.trade_totals
    none = np.zeros(len(day.accounts), np.int64)
    yield LineItem.ENERGY_BOUGHT, trades.bought_lots * POWER_LOT_WH, amounts.bought
    yield LineItem.ENERGY_SOLD, trades.sold_lots * POWER_LOT_WH, amounts.sold
    if day.blocks is not None:
        yield LineItem.BLOCK_BOUGHT, day.blocks.bought_wh, -day.blocks.bought_micro
        yield LineItem.BLOCK_SOLD, day.blocks.sold_wh, day.blocks.sold_micro
    yield LineItem.CONTRACT_ENERGY, day.contract_lots.sum(axis=1) * POWER_LOT_WH, amounts.contract
    yield LineItem.GREEN_CONTRACT, amounts.green_contract_wh, amounts.green_contract
    yield LineItem.DEFICIT, amounts.deficit_wh, amounts.deficit
    yield LineItem.SURPLUS, amounts.surplus_wh, amounts.surplus
    yield LineItem.NETTING_REFUND, none, amounts.refund
    yield LineItem.ENVIRONMENT, amounts.environment_bought_wh, amounts.environment_cost
    yield LineItem.ENVIRONMENT_SOLD, amounts.environment_sold_wh, amounts.environment_income
    yield LineItem.CURTAILMENT, amounts.curtailed_wh, amounts.curtailed
    yield LineItem.HEAT, none if day.heat_wh is None else day.heat_wh, none
    yield LineItem.COLD, none if day.cold_wh is None else day.cold_wh, none
    yield LineItem.PARK_FEE, amounts.market_withdrawal_wh, amounts.park_fee
    yield LineItem.TRADING_FEE, none, amounts.trading_fee
    yield LineItem.VOLTAGE_ADDER, amounts.withdrawal_wh, amounts.voltage_adder


def _places(items: tuple[LineItem, ...], accounts: Int64Array, postings: PostingRows) -> Int64Array:
    """Index of the posting of each line and account. A line that is both paid and received by different accounts has one posting an account."""
    places = np.full((len(items), len(accounts)), -1, np.int64)
    first = int(accounts[0]) if len(accounts) else 0
    member = np.maximum(postings["debit"], postings["credit"]).astype(np.int64)
    for line, item in enumerate(items):
        reason = REASONS.get(item)
        if reason is None:
            continue
        chosen = np.flatnonzero((postings["reason"] == int(reason)) & (member >= first))
        if item in {LineItem.ENVIRONMENT, LineItem.ENVIRONMENT_SOLD}:
            chosen = chosen[(postings["debit"][chosen] >= first) == (item is LineItem.ENVIRONMENT)]
        places[line, np.searchsorted(accounts, member[chosen])] = chosen
    return places


def _facts(day: DayInput, amounts: MemberAmounts, claims: tuple[Claim, ...], on_grid_wh: Int64Array) -> Int64Array:
    nominated = day.nomination_wh != NO_NOMINATION
    deviation_wh = np.where(nominated, np.abs(day.injection_wh - np.where(nominated, day.nomination_wh, 0)), 0)
    claimed = np.zeros(len(day.accounts), np.int64)
    for claim in claims:
        claimed[int(np.searchsorted(day.accounts, claim.account))] += claim.amount_micro
    columns = (
        day.readings.consumption_wh.sum(axis=1), day.readings.generation_wh.sum(axis=1), amounts.held_park_fee, amounts.held_guarantee, claimed,
        day.readings.replaced.sum(axis=1), nominated.sum(axis=1), deviation_wh.sum(axis=1),
        amounts.withdrawal_wh, np.maximum(day.injection_wh, 0).sum(axis=1), on_grid_wh, np.maximum(-day.injection_wh, 0).max(axis=1),
    )  # fmt: skip
    return np.array(columns, np.int64)


def _totals(day: DayInput, park: ParkTotals, amounts: MemberAmounts, rounding_micro: int) -> tuple[int, ...]:
    readings = day.readings
    return (
        park.grid_import_micro,
        park.grid_export_micro,
        park.fund_micro,
        park.losses_micro,
        -int(amounts.park_fee.sum()),
        -int(amounts.trading_fee.sum()),
        -int(amounts.voltage_adder.sum()),
        rounding_micro,
        int(day.trade_totals.bought_lots.sum()) * POWER_LOT_WH,
        int(np.maximum(day.net_lots, 0).sum()) * POWER_LOT_WH,
        park.deficit_wh,
        park.surplus_wh,
        park.netted_wh,
        int(readings.consumption_wh.sum()),
        int(readings.generation_wh.sum()),
        int(readings.grid_import_wh.sum()),
        int(readings.grid_export_wh.sum()),
        int(readings.losses_wh.sum()),
        int(np.abs(balance_error_wh(readings)).max()),
        park.paper_micro,
        int(amounts.environment_income.sum()),
        int(amounts.environment_sold_wh.sum()),
        int(amounts.curtailed_wh.sum()),
    )
