"""From the day's amounts to the statements and the record that the fold keeps."""

from collections.abc import Iterator

import numpy as np

from exchange.settlement.amounts import MemberAmounts
from exchange.settlement.charges import Claim
from exchange.settlement.day_input import NO_NOMINATION, DayInput, balance_error_wh
from exchange.settlement.netting import ParkTotals
from exchange.settlement.statement import DaySettlement, Line, LineItem, LineStatus, Statement
from exchange.units import POWER_LOT_WH


def record_day(day: DayInput, totals: ParkTotals, amounts: MemberAmounts, claims: tuple[Claim, ...], rounding_micro: int) -> DaySettlement:
    """The record of a day settled with these amounts."""
    readings = day.readings
    return DaySettlement(
        day=day.day,
        periods=len(day.symbols),
        statements=tuple(_statement(day, amounts, claims, row) for row in range(len(day.accounts))),
        claims=tuple((claim.account, claim.amount_micro, int(claim.reason)) for claim in claims),
        grid_import_micro=totals.grid_import_micro,
        grid_export_micro=totals.grid_export_micro,
        netting_fund_micro=totals.fund_micro,
        losses_micro=totals.losses_micro,
        park_fee_micro=-sum(amounts.park_fee),
        trading_fee_micro=-sum(amounts.trading_fee),
        voltage_adder_micro=-sum(amounts.voltage_adder),
        rounding_micro=rounding_micro,
        traded_wh=int(day.bought_lots.sum()) * POWER_LOT_WH,
        delivered_wh=int(np.maximum(day.net_lots, 0).sum()) * POWER_LOT_WH,
        deficit_wh=totals.deficit_wh,
        surplus_wh=totals.surplus_wh,
        netted_wh=totals.netted_wh,
        consumption_wh=int(readings.consumption_wh.sum()),
        generation_wh=int(readings.generation_wh.sum()),
        grid_import_wh=int(readings.grid_import_wh.sum()),
        grid_export_wh=int(readings.grid_export_wh.sum()),
        losses_wh=int(readings.losses_wh.sum()),
        max_balance_error_wh=int(np.abs(balance_error_wh(readings)).max()),
    )


def _statement(day: DayInput, amounts: MemberAmounts, claims: tuple[Claim, ...], row: int) -> Statement:
    account = int(day.accounts[row])
    nominated = day.nomination_wh[row] != NO_NOMINATION
    deviation_wh = np.abs(day.injection_wh[row][nominated] - day.nomination_wh[row][nominated])
    lines = _statement_lines(day, amounts, row)
    return Statement(
        day=day.day,
        account=account,
        name=day.names[row],
        role=day.roles[row],
        lines=lines,
        total_micro=sum(line.amount_micro for line in lines if line.status == LineStatus.CHARGED),
        consumption_wh=int(day.readings.consumption_wh[row].sum()),
        generation_wh=int(day.readings.generation_wh[row].sum()),
        park_fee_held_micro=amounts.held_park_fee[row],
        guarantee_held_micro=amounts.held_guarantee[row],
        claim_micro=sum(claim.amount_micro for claim in claims if claim.account == account),
        substituted_periods=int(day.readings.replaced[row].sum()),
        nominated_periods=int(nominated.sum()),
        schedule_deviation_wh=int(deviation_wh.sum()),
    )


def _block_lines(day: DayInput, row: int) -> Iterator[Line]:
    """What of the energy bought and sold was traded in blocks; no line where there is none."""
    if day.blocks is None:
        return
    blocks = day.blocks
    for item, energy_wh, amount_micro in (
        (LineItem.BLOCK_BOUGHT, blocks.bought_wh[row], -blocks.bought_micro[row]),
        (LineItem.BLOCK_SOLD, blocks.sold_wh[row], blocks.sold_micro[row]),
    ):
        if energy_wh:
            yield Line(item, LineStatus.INFORMATION, int(energy_wh), int(amount_micro))


def _statement_lines(day: DayInput, amounts: MemberAmounts, row: int) -> tuple[Line, ...]:
    charged, information, inside, excluded = LineStatus.CHARGED, LineStatus.INFORMATION, LineStatus.INSIDE_TARIFF, LineStatus.EXCLUDED
    lots = {name: int(getattr(day, name)[row].sum()) * POWER_LOT_WH for name in ("bought_lots", "sold_lots", "contract_lots")}
    return (
        Line(LineItem.ENERGY_BOUGHT, charged, lots["bought_lots"], amounts.bought[row]),
        Line(LineItem.ENERGY_SOLD, charged, lots["sold_lots"], amounts.sold[row]),
        *_block_lines(day, row),
        Line(LineItem.CONTRACT_ENERGY, information, lots["contract_lots"], amounts.contract[row]),
        Line(LineItem.DEFICIT, charged, int(amounts.deficit_wh[row]), amounts.deficit[row]),
        Line(LineItem.SURPLUS, charged, int(amounts.surplus_wh[row]), amounts.surplus[row]),
        Line(LineItem.NETTING_REFUND, charged, 0, amounts.refund[row]),
        Line(LineItem.ENVIRONMENT, charged),
        Line(LineItem.PARK_FEE, charged, int(amounts.market_withdrawal_wh[row]), amounts.park_fee[row]),
        Line(LineItem.TRADING_FEE, charged, 0, amounts.trading_fee[row]),
        Line(LineItem.VOLTAGE_ADDER, charged, int(amounts.withdrawal_wh[row]), amounts.voltage_adder[row]),
        Line(LineItem.CAPACITY_CHARGE, excluded),
        Line(LineItem.POWER_FACTOR, excluded),
        Line(LineItem.SYSTEM_OPERATION, inside),
        Line(LineItem.GOVERNMENT_FUNDS, inside),
    )
