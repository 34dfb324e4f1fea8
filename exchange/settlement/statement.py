"""Statements of a day: one an account, with the lines a Chinese industrial bill has, made from the record of the day when somebody asks.

Amounts are micro-CNY, received positive. A line shown in fen is rounded half-even from its own micro-CNY, the total from the exact total.
"""

from collections.abc import Iterator

import msgspec

from exchange.settlement.lines import OPTIONAL, STATUS, Line, LineItem, LineStatus
from exchange.settlement.record import STATEMENT_FACTS, TOTALS, SettledDay
from exchange.units import MICRO_PER_FEN, divide_half_even

__all__ = ["DaySettlement", "Line", "LineItem", "LineStatus", "Source", "Statement", "day_settlement", "fen", "statement_of"]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What all lines of a statement come from: the command that settled it, its rules, its periods (first, last, how many).

    `postings` has for each line the index of its posting in that command, -1: it is the sum of trades' own postings, or moved no money.
    """

    sequence: int = 0
    rules_version: int = 0
    first_period: str = ""
    last_period: str = ""
    periods: int = 0
    postings: tuple[int, ...] = ()


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """The day of one account. `total_micro` is what the day changed its balance by, trades included, before any cover.

    `claim_micro` is what the guarantee fund paid for it. `schedule_deviation_wh` is metered injection less the nomination, summed in
    absolute value over the `nominated_periods`; it is information: the meter is settled, not the schedule.
    `run` counts from 1; `adjustments_micro` has for each line what the run changed against the run before, empty in the first.
    """

    day: str
    account: int
    name: str
    role: str
    lines: tuple[Line, ...]
    total_micro: int
    consumption_wh: int
    generation_wh: int
    park_fee_held_micro: int
    guarantee_held_micro: int
    claim_micro: int
    substituted_periods: int
    nominated_periods: int
    schedule_deviation_wh: int
    run: int = 1
    adjustments_micro: tuple[int, ...] = ()
    source: Source = Source()

    def amount_micro(self, item: LineItem) -> int:
        """Amount of a line, 0 where the statement does not have it."""
        return next((line.amount_micro for line in self.lines if line.item == item), 0)

    def energy_wh(self, item: LineItem) -> int:
        """Energy of a line, 0 where the statement does not have it."""
        return next((line.energy_wh for line in self.lines if line.item == item), 0)


class DaySettlement(msgspec.Struct, frozen=True, kw_only=True):
    """The report of a settled day. Money in micro-CNY, energy in Wh.

    `netting_fund_micro` is the `imbalance_netting_cny` of reports: what members paid more than the grid took because their imbalances
    netted, all of it refunded. `rounding_micro` went from CLEARING to ROUNDING.
    """

    day: str
    periods: int
    statements: tuple[Statement, ...]
    claims: tuple[tuple[int, int, int], ...]  # account, micro-CNY, PostingReason
    grid_import_micro: int
    grid_export_micro: int
    netting_fund_micro: int
    losses_micro: int
    park_fee_micro: int
    trading_fee_micro: int
    voltage_adder_micro: int
    rounding_micro: int
    traded_wh: int
    delivered_wh: int  # net bought positions: what the trades of the day came to
    deficit_wh: int
    surplus_wh: int
    netted_wh: int
    consumption_wh: int
    generation_wh: int
    grid_import_wh: int
    grid_export_wh: int
    losses_wh: int
    max_balance_error_wh: int
    run: int = 1
    paper_micro: int = 0
    environment_micro: int = 0
    environment_wh: int = 0  # attribute that changed hands in the market
    curtailed_wh: int = 0

    def statement(self, account: int) -> Statement | None:
        return next((statement for statement in self.statements if statement.account == account), None)


def day_settlement(record: SettledDay, before: SettledDay | None = None) -> DaySettlement:
    """The report of a run; `before` is the run before it, if there was one."""
    return DaySettlement(
        day=record.day,
        periods=record.symbols[2],
        statements=tuple(_statement(record, before, row) for row in range(len(record.accounts))),
        claims=record.claims,
        run=record.run,
        **{name: record.total(name) for name in TOTALS},
    )


def statement_of(record: SettledDay, account: int, before: SettledDay | None = None) -> Statement | None:
    """The statement of one account, or None when the day did not have it."""
    row = int(record.accounts.searchsorted(account))
    return _statement(record, before, row) if row < len(record.accounts) and record.accounts[row] == account else None


def _statement(record: SettledDay, before: SettledDay | None, row: int) -> Statement:
    lines = tuple(_shown_lines(record, row))
    first, last, periods = record.symbols
    return Statement(
        day=record.day,
        account=int(record.accounts[row]),
        name=record.names[row],
        role=record.roles[row],
        lines=lines,
        total_micro=sum(line.amount_micro for line in lines if line.status == LineStatus.CHARGED),
        **dict(zip(STATEMENT_FACTS, record.facts[: len(STATEMENT_FACTS), row].tolist(), strict=True)),
        run=record.run,
        adjustments_micro=() if before is None else tuple(_adjustment(before, int(record.accounts[row]), line) for line in lines),
        source=Source(
            sequence=record.sequence,
            rules_version=record.rules_version,
            first_period=first,
            last_period=last,
            periods=periods,
            postings=tuple(int(record.postings[record.items.index(line.item), row]) if line.item in record.items else -1 for line in lines),
        ),
    )


def _shown_lines(record: SettledDay, row: int) -> Iterator[Line]:
    energies, amounts = record.energy_wh[:, row].tolist(), record.amount_micro[:, row].tolist()
    known = {item: (energies[place], amounts[place]) for place, item in enumerate(record.items)}
    for item in LineItem:
        energy_wh, amount_micro = known.get(item, (0, 0))
        if item in OPTIONAL and not energy_wh and not amount_micro:
            continue
        is_excluded = item is LineItem.CAPACITY_CHARGE and item not in record.items
        yield Line(item, LineStatus.EXCLUDED if is_excluded else STATUS[item], energy_wh, amount_micro)


def _adjustment(before: SettledDay, account: int, line: Line) -> int:
    row = int(before.accounts.searchsorted(account))
    had = row < len(before.accounts) and before.accounts[row] == account
    return line.amount_micro - (int(before.amounts(line.item)[row]) if had else 0)


def fen(amount_micro: int) -> int:
    """Micro-CNY as fen, half-even."""
    return divide_half_even(amount_micro, MICRO_PER_FEN)
