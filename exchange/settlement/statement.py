"""Statements of a day: one an account, with the lines a Chinese industrial bill has, and the record of the day that the fold keeps.

Amounts are micro-CNY, received positive. A line shown in fen is rounded half-even from its own micro-CNY, the total from the exact total.
"""

from enum import StrEnum
from typing import Any, Final

import msgspec

from exchange.errors import InputError
from exchange.units import MICRO_PER_FEN, divide_half_even

RECORD_VERSION: Final = 1


class LineItem(StrEnum):
    """Lines in the order of the statement."""

    ENERGY_BOUGHT = "energy_bought"
    ENERGY_SOLD = "energy_sold"
    BLOCK_BOUGHT = "block_bought"  # these two only where blocks were traded: of which in block contracts
    BLOCK_SOLD = "block_sold"
    CONTRACT_ENERGY = "contract_energy"
    DEFICIT = "deficit"
    SURPLUS = "surplus"
    NETTING_REFUND = "netting_refund"
    ENVIRONMENT = "environment"
    PARK_FEE = "park_fee"
    TRADING_FEE = "trading_fee"
    VOLTAGE_ADDER = "voltage_adder"
    CAPACITY_CHARGE = "capacity_charge"
    POWER_FACTOR = "power_factor"
    SYSTEM_OPERATION = "system_operation"
    GOVERNMENT_FUNDS = "government_funds"


class LineStatus(StrEnum):
    """CHARGED counts in the total. INFORMATION is settled elsewhere, INSIDE_TARIFF is part of the deficit price, EXCLUDED is not in this bill."""

    CHARGED = "charged"
    INFORMATION = "information"
    INSIDE_TARIFF = "inside_tariff"
    EXCLUDED = "excluded"


class Line(msgspec.Struct, frozen=True):
    """One line. `energy_wh` is what the amount is for; 0 where there is none."""

    item: LineItem
    status: LineStatus
    energy_wh: int = 0
    amount_micro: int = 0


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """The day of one account. `total_micro` is what the day changed its balance by, trades included, before any cover.

    `claim_micro` is what the guarantee fund paid for it. `schedule_deviation_wh` is metered injection less the nomination, summed in
    absolute value over the `nominated_periods`; it is information: the meter is settled, not the schedule.
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

    def amount_micro(self, item: LineItem) -> int:
        return next(line.amount_micro for line in self.lines if line.item == item)

    def energy_wh(self, item: LineItem) -> int:
        return next(line.energy_wh for line in self.lines if line.item == item)


class DaySettlement(msgspec.Struct, frozen=True, kw_only=True):
    """What the fold keeps of a settled day. Money in micro-CNY, energy in Wh.

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

    def statement(self, account: int) -> Statement | None:
        return next((statement for statement in self.statements if statement.account == account), None)

    def to_canonical(self) -> list[Any]:
        """Logical content for the state hash and the snapshot."""
        return [RECORD_VERSION, msgspec.to_builtins(self)]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "DaySettlement":
        """Inverse of `to_canonical`. Raises InputError for another version."""
        version, body = content
        if version != RECORD_VERSION:
            raise InputError("settlement record of another version")
        return msgspec.convert(body, type=cls)


def fen(amount_micro: int) -> int:
    """Micro-CNY as fen, half-even."""
    return divide_half_even(amount_micro, MICRO_PER_FEN)
