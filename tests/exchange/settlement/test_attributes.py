"""The green attribute: worked cases, an oracle in fractions that shares no code, and what must hold on any day."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from exchange.ledger.chart import House
from exchange.registry.green_output import GreenOutput, GreenUse
from exchange.settlement.attributes import green_flows
from exchange.settlement.day import settle_day
from exchange.settlement.day_input import DayInput
from exchange.settlement.lines import LineItem
from tests.exchange.settlement.green_worlds import green, green_days
from tests.exchange.settlement.worlds import FIRST_ACCOUNT, Trade, entries, make_day, post_all, report

KWH = 1_000
SELF, DELIVERED, EXPORTED = GreenUse.SELF_USE, GreenUse.DELIVERED, GreenUse.EXPORTED


def rows(output: GreenOutput | None) -> list[tuple[int, int, int, int]]:
    """(device, use, row of the holder, Wh) of a day of one period."""
    assert output is not None
    holders = output.holder - FIRST_ACCOUNT
    return list(zip(output.device.tolist(), output.use.tolist(), holders.tolist(), output.energy_wh.tolist(), strict=True))


def flows(day: DayInput) -> list[tuple[int, int, int, int]]:
    return rows(settle_day(day).output)


@pytest.mark.parametrize(
    ("consumption", "generation", "trades", "expected"),
    [
        # Own use first, then the buyer, then what stays. 10 kWh generated, 4 used behind the meter, 5 sold.
        ([4, 9], [10, 0], [(0, 1, 50)], [(1, SELF, 0, 4000), (1, DELIVERED, 1, 5000), (1, EXPORTED, 0, 1000)]),
        # Sold but not generated: nothing is delivered beyond the meter.
        ([0, 9], [3, 0], [(0, 1, 50)], [(1, DELIVERED, 1, 3000)]),
        # Bought but not used: the rest stays with the generator.
        ([0, 2], [10, 0], [(0, 1, 50)], [(1, DELIVERED, 1, 2000), (1, EXPORTED, 0, 8000)]),
        # A trader in between holds nothing: it nets to zero and uses nothing.
        ([0, 9, 0], [10, 0, 0], [(0, 2, 50), (2, 1, 50)], [(1, DELIVERED, 1, 5000), (1, EXPORTED, 0, 5000)]),
        # Generation without a registered device (row 1, such as a discharge) carries nothing, also when it is sold.
        ([0, 0, 20], [5, 8, 0], [(0, 2, 50), (1, 2, 80)], [(1, DELIVERED, 2, 5000)]),
    ],
)
def test_worked_cases(consumption: list[int], generation: list[int], trades: list[tuple[int, int, int]], expected: list) -> None:
    day = make_day(
        [[value * KWH] for value in consumption], [[value * KWH] for value in generation], [Trade(s, b, 0, lots, 4000) for s, b, lots in trades]
    )
    assert flows(green(day, {1: (0, [generation[0] * KWH])})) == expected


def test_buyers_share_in_proportion_to_what_they_bought_and_used() -> None:
    """7 kWh for buyers of 6 and 8 kWh of which the second used 4: 6 to 4. The remainder of Wh goes to the larger one."""
    trades = [Trade(0, 2, 0, 60, 4000), Trade(1, 3, 0, 80, 4000)]
    day = green(make_day([[0], [0], [6 * KWH], [4 * KWH]], [[7 * KWH + 1], [20 * KWH], [0], [0]], trades), {1: (0, [7 * KWH + 1])})
    held = Counter({holder: wh for _, use, holder, wh in flows(day) if use == DELIVERED})
    assert held == {2: 3600, 3: 2400}  # 6 of the 7.001 kWh were sold


def test_several_devices_behind_a_meter_share_its_own_use_by_what_they_generated() -> None:
    day = green(make_day([[3 * KWH]], [[9 * KWH]]), {4: (0, [6 * KWH]), 7: (0, [3 * KWH])})
    assert flows(day) == [(4, SELF, 0, 2000), (4, EXPORTED, 0, 4000), (7, SELF, 0, 1000), (7, EXPORTED, 0, 2000)]


def test_who_gets_which_device_moves_on_from_quarter_hour_to_quarter_hour() -> None:
    """Two devices, two buyers of the same size: each buyer has each device in turn, so nobody is left with one of them for ever."""
    trades = [Trade(s, b, t, 20, 4000) for s, b in ((0, 2), (1, 3)) for t in range(4)]
    day = make_day([[0] * 4] * 2 + [[2 * KWH] * 4] * 2, [[2 * KWH] * 4] * 2 + [[0] * 4] * 2, trades)
    output = settle_day(green(day, {1: (0, [2 * KWH] * 4), 2: (1, [2 * KWH] * 4)})).output
    assert output is not None
    of_first = (output.holder - FIRST_ACCOUNT)[output.device == 1]
    assert of_first.tolist() == [2, 2, 2, 3]  # the line of buyers begins at row 0, 1, 2, 3


def test_the_environment_component_is_charged_on_attribute_only() -> None:
    """8 kWh bought, 5 of them green at 0.006 CNY/kWh: 0.03 CNY from buyer to generator, nothing from the grey seller."""
    trades = [Trade(0, 2, 0, 50, 4000), Trade(1, 2, 0, 30, 4000)]
    day = green(make_day([[0], [0], [8 * KWH]], [[5 * KWH], [3 * KWH], [0]], trades), {1: (0, [5 * KWH])})
    result = settle_day(day)
    generator, grey, buyer = report(result).statements
    assert (buyer.amount_micro(LineItem.ENVIRONMENT), buyer.energy_wh(LineItem.ENVIRONMENT)) == (-30_000, 5 * KWH)
    assert (generator.amount_micro(LineItem.ENVIRONMENT_SOLD), generator.energy_wh(LineItem.ENVIRONMENT_SOLD)) == (30_000, 5 * KWH)
    assert not any("environment" in str(line.item) and line.amount_micro for line in grey.lines)
    balances = post_all(day, result)
    assert balances[House.CLEARING] == 0


def test_a_green_contract_settles_before_ordinary_energy() -> None:
    """Of 10 kWh the contract takes 6 for its buyer at 0.45; the 8 kWh sold on the market keep the attribute of the other 4."""
    day = make_day([[0], [20 * KWH], [8 * KWH]], [[10 * KWH], [0], [0]], [Trade(0, 2, 0, 80, 5000)])
    result = settle_day(green(day, {1: (0, [10 * KWH])}, {1: (1, 0, 6 * KWH, 4500)}))
    assert rows(result.output) == [(1, DELIVERED, 1, 6000), (1, DELIVERED, 2, 4000)]
    generator, buyer, _ = report(result).statements
    assert (buyer.amount_micro(LineItem.GREEN_CONTRACT), generator.amount_micro(LineItem.GREEN_CONTRACT)) == (-2_700_000, 2_700_000)
    assert buyer.energy_wh(LineItem.DEFICIT) == 14 * KWH
    assert generator.energy_wh(LineItem.DEFICIT) == 4 * KWH  # it has sold 14 of 10
    assert result.imbalance_wh.sum() == day.imbalance_wh.sum()


@pytest.mark.parametrize(
    ("left", "generated", "used", "volume"),
    [(120, 110, 130, 110), (100, 110, 130, 100), (120, 110, 90, 90), (0, 5, 5, 0)],
    ids=["generation", "contract", "use", "nothing left"],
)
def test_a_contract_s_volume_is_the_least_of_three(left: int, generated: int, used: int, volume: int) -> None:
    """Story 3: contract 120 MWh, delivered 110, used 130, so 110."""
    day = make_day([[0], [used * KWH]], [[generated * KWH], [0]])
    result = settle_day(green(day, {1: (0, [generated * KWH])}, {9: (1, 0, left * KWH, 4500)}))
    assert result.green is not None
    assert result.green.contract_wh.tolist() == [[volume * KWH]]


def oracle(day: DayInput, period: int) -> dict[str, dict[int, Fraction]]:
    """The quarter-hour in fractions: own use and market sale by device, delivery by buyer, contract volumes."""
    assert day.green is not None
    g, n = day.green, len(day.accounts)
    made = {d: Fraction(int(g.generation_wh[d, period])) for d in range(len(g.devices))}
    of = {d: int(g.account_row[d]) for d in made}
    used, injected = day.readings.consumption_wh[:, period], day.readings.generation_wh[:, period]
    total = {row: sum((made[d] for d in made if of[d] == row), Fraction(0)) for row in range(n)}
    own = {row: min(total[row], Fraction(int(used[row]))) for row in range(n)}
    own_use = {d: made[d] * own[of[d]] / total[of[d]] if total[of[d]] else Fraction(0) for d in made}
    spare = {row: total[row] - own[row] for row in range(n)}
    need = {row: max(Fraction(int(used[row]) - int(injected[row])), Fraction(0)) for row in range(n)}
    position = {row: 100 * (int(day.net_lots[row, period]) + int(day.contract_lots[row, period])) for row in range(n)}
    return {"own_use": own_use, "spare": spare, "need": need, "position": position}  # type: ignore[dict-item]


@given(green_days())
def test_shares_are_those_of_the_oracle_to_within_one_wh(day: DayInput) -> None:
    assert day.green is not None
    result = green_flows(day, day.green)
    out, g = result.output, day.green
    left = [int(wh) for wh in g.contract_left_wh]
    for period, start_ns in enumerate(day.period_starts_ns.tolist()):
        expected = oracle(day, period)
        spare, need = expected["spare"], expected["need"]
        for contract, (buyer, generator) in enumerate(zip(g.contract_buyer_row.tolist(), g.contract_generator_row.tolist(), strict=True)):
            volume = min(left[contract], spare[generator], need[buyer])
            assert result.contract_wh[contract, period] == volume
            left[contract] -= int(volume)
            spare[generator] -= volume
            need[buyer] -= volume
        offered = {row: min(spare[row], max(-expected["position"][row], 0)) for row in spare}
        wanted = {row: min(need[row], max(expected["position"][row], 0)) for row in need}
        delivered = min(sum(offered.values()), sum(wanted.values()))
        for row, offer in offered.items():
            if delivered:
                assert abs(result.sold_wh[row, period] - delivered * offer / sum(offered.values())) < 1
                assert abs(result.bought_wh[row, period] - delivered * wanted[row] / sum(wanted.values())) < 1
            else:
                assert result.sold_wh[row, period] == result.bought_wh[row, period] == 0
        at = (out.period_start_ns == start_ns) & (out.use == SELF)
        for place, device in enumerate(g.devices.tolist()):
            assert abs(int(out.energy_wh[at & (out.device == device)].sum()) - expected["own_use"][place]) < 1


@given(green_days())
def test_no_wh_is_held_twice_and_none_is_lost(day: DayInput) -> None:
    """Rows of a device and period are its generation; a holder's are at most what its meter took; what is delivered is at most what was sold."""
    assert day.green is not None
    out = green_flows(day, day.green).output
    keys = list(zip(*(column.tolist() for column in (out.period_start_ns, out.device, out.use, out.holder)), strict=True))
    assert keys == sorted(set(keys))
    assert (out.energy_wh > 0).all()
    for period, start_ns in enumerate(day.period_starts_ns.tolist()):
        at = out.period_start_ns == start_ns
        for place, device in enumerate(day.green.devices.tolist()):
            assert out.energy_wh[at & (out.device == device)].sum() == day.green.generation_wh[place, period]
        for row, account in enumerate(day.accounts.tolist()):
            held = out.energy_wh[at & (out.holder == account) & (out.use != EXPORTED)].sum()
            assert held <= day.readings.consumption_wh[row, period]


@given(green_days())
def test_energy_and_money_of_a_green_day_balance(day: DayInput) -> None:
    result = settle_day(day)
    balances = post_all(day, result)
    assert balances[House.CLEARING] == balances[House.NETTING_FUND] == 0
    assert abs(report(result).rounding_micro) <= 3 * len(day.accounts) + 2
    green_rows = report(result).statements
    bought = sum(statement.energy_wh(LineItem.ENVIRONMENT) for statement in green_rows)
    sold = sum(statement.energy_wh(LineItem.ENVIRONMENT_SOLD) for statement in green_rows)
    assert bought == sold == report(result).environment_wh
    assert sum(statement.amount_micro(LineItem.GREEN_CONTRACT) for statement in green_rows) == 0
    assert sum(np.sign(amount) < 0 for _, _, amount, _ in entries(result)) == 0


@given(green_days())
def test_resale_moves_no_attribute(day: DayInput) -> None:
    """Two accounts that sell to each other and back change nothing: the attribute follows net positions and meters."""
    bought, sold = day.bought_lots.copy(), day.sold_lots.copy()
    bought[:2, 0] += 77
    sold[:2, 0] += 77
    churned = replace(day, bought_lots=bought, sold_lots=sold)
    one, other = settle_day(day), settle_day(churned)
    assert rows(one.output) == rows(other.output)
