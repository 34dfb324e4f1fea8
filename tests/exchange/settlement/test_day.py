"""Settlement of a day: worked examples from the rules, rows a rule, and properties on random days."""

import hashlib
import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import CheckFailedError, InputError
from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.metering.validation import READING_LIMIT_WH
from exchange.settlement.book import Settlements
from exchange.settlement.day import settle_day
from exchange.settlement.day_input import DayInput, DayProblem, SettlementRule, check_day
from exchange.settlement.record import REASONS
from exchange.settlement.statement import LineItem, day_settlement
from tests.exchange.settlement.worlds import (
    RICH_MICRO,
    Trade,
    alter_reading,
    balances_before,
    contracts,
    days,
    entries,
    make_day,
    meters,
    post_all,
    prices,
    report,
    total_of,
    trades_among,
)

CNY = 1_000_000
KWH = 1_000


def story_one() -> DayInput:
    """market rules, story 1: bids .62/400, .58/300, .55/300 meet asks .36/300, .40/400, .46/300 at 0.51; the .62 bid meters 380 of 400 kWh."""
    buys, sells = [4000, 3000, 3000], [3000, 4000, 3000]
    pairs = [(0, 0, 3000), (0, 1, 1000), (1, 1, 3000), (2, 2, 3000)]
    trades = [Trade(3 + seller, buyer, 0, lots, 5100) for buyer, seller, lots in pairs]
    consumption = [[380 * KWH], [300 * KWH], [300 * KWH], [0], [0], [0]]
    generation = [[0]] * 3 + [[lots * 100] for lots in sells]
    assert sum(buys) == sum(sells)
    return make_day(consumption, generation, trades)


def test_story_one_fee_held_and_final_and_the_surplus() -> None:
    result = settle_day(story_one())
    statements = report(result).statements
    assert sum(s.park_fee_held_micro for s in statements) == 40 * CNY
    assert report(result).park_fee_micro == 39_200_000
    assert sum(s.park_fee_held_micro for s in statements) - report(result).park_fee_micro == 800_000
    assert [s.amount_micro(LineItem.ENERGY_BOUGHT) for s in statements[:3]] == [-204 * CNY, -153 * CNY, -153 * CNY]
    assert sum(s.amount_micro(LineItem.ENERGY_SOLD) for s in statements) == 510 * CNY
    assert result.imbalance_wh[:, 0].tolist() == [20 * KWH, 0, 0, 0, 0, 0]
    assert statements[0].amount_micro(LineItem.SURPLUS) == 5_600_000  # 20 kWh at feed-in 0.28
    assert statements[0].total_micro == -204 * CNY + 5_600_000 - 15_200_000
    assert report(result).grid_export_micro == 5_600_000
    assert report(result).netting_fund_micro == 0


def test_story_one_postings_in_order() -> None:
    reasons = PostingReason
    assert entries(settle_day(story_one())) == [
        (House.CLEARING, 35, 153 * CNY, reasons.ENERGY_DELIVERED),
        (House.CLEARING, 36, 204 * CNY, reasons.ENERGY_DELIVERED),
        (House.CLEARING, 37, 153 * CNY, reasons.ENERGY_DELIVERED),
        (House.CLEARING, 32, 5_600_000, reasons.SURPLUS),
        (House.GRID, House.CLEARING, 5_600_000, reasons.GRID_EXPORT),
        (32, House.PARK_FEES, 15_200_000, reasons.PARK_FEE),
        (33, House.PARK_FEES, 12 * CNY, reasons.PARK_FEE),
        (34, House.PARK_FEES, 12 * CNY, reasons.PARK_FEE),
    ]


def test_netting_between_a_deficit_and_a_surplus_comes_back_by_metered_energy() -> None:
    """10 kWh short and 6 kWh long: the grid delivers 4, so the park saves 6 x (0.65 - 0.28) and returns it 10 : 6."""
    result = settle_day(make_day([[10 * KWH], [0]], [[0], [6 * KWH]]))
    assert report(result).netting_fund_micro == 2_220_000
    assert [s.amount_micro(LineItem.NETTING_REFUND) for s in report(result).statements] == [1_387_500, 832_500]
    assert report(result).grid_import_micro == 2_600_000


@pytest.mark.parametrize(
    ("consumption_kwh", "generation_kwh", "losses_kwh", "losses_micro", "fund_micro"),
    [
        ([10, 0], [0, 6], 1, 650_000, 2_220_000),  # importing: a lost kWh is bought
        ([4, 0], [0, 10], 1, 280_000, 1_480_000),  # exporting: a lost kWh is not sold
        ([4, 0], [0, 5], 3, 280_000 + 2 * 650_000, 1_480_000),  # losses turn the export into import
        ([0, 0], [0, 0], 2, 1_300_000, 0),
    ],
)
def test_losses_cost_what_the_grid_point_says_and_the_operator_bears_them(
    consumption_kwh: list[int], generation_kwh: list[int], losses_kwh: int, losses_micro: int, fund_micro: int
) -> None:
    day = make_day([[c * KWH] for c in consumption_kwh], [[g * KWH] for g in generation_kwh], losses_wh=[losses_kwh * KWH])
    result = settle_day(day)
    assert report(result).losses_micro == losses_micro
    assert report(result).netting_fund_micro == fund_micro
    assert post_all(day, result)[House.PARK_FEES] == -losses_micro


def test_voltage_adder_passes_through_to_the_grid_company() -> None:
    day = make_day([[3 * KWH, 1 * KWH], [0, 2 * KWH]], [[0, 2 * KWH], [0, 0]], adders=[10_001, 20_000])
    result = settle_day(day)
    assert [s.amount_micro(LineItem.VOLTAGE_ADDER) for s in report(result).statements] == [-30_003, -40_000]
    assert [s.energy_wh(LineItem.VOLTAGE_ADDER) for s in report(result).statements] == [3 * KWH, 2 * KWH]
    balances = post_all(day, result)
    assert balances[House.NETWORK_TARIFF] == 0
    assert entries(result)[-1][1] == House.GRID


def test_own_generation_is_netted_within_the_period_but_not_across_periods() -> None:
    day = make_day([[5 * KWH, 0]], [[2 * KWH, 3 * KWH]])
    statement = report(settle_day(day)).statements[0]
    assert (statement.energy_wh(LineItem.DEFICIT), statement.energy_wh(LineItem.SURPLUS)) == (3 * KWH, 3 * KWH)


def test_negative_prices_turn_the_lines_round() -> None:
    """At -0.01 and -0.02 CNY/kWh who is short is paid and who is long pays, the fund still gets the spread, and losses earn the operator money."""
    day = make_day([[10 * KWH], [0]], [[0], [6 * KWH]], losses_wh=[1 * KWH], deficit_ticks=-100, surplus_ticks=-200)
    result = settle_day(day)
    short, long = report(result).statements
    assert (short.amount_micro(LineItem.DEFICIT), long.amount_micro(LineItem.SURPLUS)) == (100_000, -120_000)
    assert (report(result).netting_fund_micro, report(result).losses_micro) == (60_000, -10_000)
    balances = post_all(day, result)
    assert balances[House.CLEARING] == balances[House.NETTING_FUND] == 0
    assert balances[32] - RICH_MICRO == short.total_micro


def test_contracts_are_obligations_and_their_value_is_information() -> None:
    day = replace(make_day([[5 * KWH], [0]], [[0], [5 * KWH]], contract_lots=[[50], [-50]]), contract_price_ticks=np.array([4000]))
    buyer, seller = report(settle_day(day)).statements
    assert (buyer.total_micro, seller.total_micro) == (0, 0)
    assert (buyer.amount_micro(LineItem.CONTRACT_ENERGY), seller.amount_micro(LineItem.CONTRACT_ENERGY)) == (-2_000_000, 2_000_000)


def test_a_nomination_is_compared_with_the_meter_and_does_not_move_money() -> None:
    day = make_day([[5 * KWH, 0]], [[0, 4 * KWH]])
    nominated = replace(day, nomination_wh=np.array([[-4 * KWH, 6 * KWH]]))
    statement = report(settle_day(nominated)).statements[0]
    assert (statement.nominated_periods, statement.schedule_deviation_wh) == (2, 3 * KWH)
    assert statement.lines == report(settle_day(day)).statements[0].lines


def failed_delivery(price_ticks: int, available_micro: int) -> DayInput:
    """A seller of 10 kWh generates nothing; the buyer uses what it bought."""
    sale = [Trade(1, 0, 0, 100, price_ticks)]
    return make_day([[10 * KWH], [0]], [[0], [0]], sale, available_micro=[RICH_MICRO, available_micro], fee_lot_micro=0)


@pytest.mark.parametrize("price_ticks", [0, 2800, 5000, 6500, 9000])
def test_a_failed_delivery_is_paid_from_the_sellers_hold_and_its_sale(price_ticks: int) -> None:
    """Sale value plus max(0, deficit price - price) is at least the deficit price: no cash and no fund is needed."""
    day = failed_delivery(price_ticks, 0)
    result = settle_day(day)
    assert result.claims == ()
    assert post_all(day, result)[33] == max(0, (price_ticks - 6500) * 1000)


def test_what_hold_and_cash_leave_short_falls_on_the_guarantee_fund_as_a_claim() -> None:
    """Hold 1.50 and sale 5.00 pay 6.50 of a deficit of 13.00 (a load of its own on top); 2.00 of cash; 4.50 from the fund."""
    day = alter_reading(failed_delivery(5000, 2 * CNY), "consumption_wh", (1, 0), 10 * KWH)
    result = settle_day(alter_reading(day, "grid_import_wh", (0,), 10 * KWH))
    assert result.claims == ((33, 4_500_000, PostingReason.DEFICIT),)
    assert (House.GUARANTEE_FUND, House.CLEARING, 4_500_000, PostingReason.GUARANTEE_FUND) in entries(result)
    assert report(result).statements[1].claim_micro == 4_500_000
    balances = post_all(day, result)
    assert (balances[33], balances[House.GUARANTEE_FUND], balances[House.CLEARING]) == (0, -4_500_000, 0)


def test_a_fund_that_nobody_metered_for_goes_to_the_guarantee_fund() -> None:
    """Traders who forgot to be flat: one is short by what the other is long."""
    day = make_day([[0], [0]], [[0], [0]], [Trade(0, 1, 0, 10, 3000)])
    balances = post_all(day, settle_day(day))
    assert balances[House.NETTING_FUND] == 0
    assert balances[House.GUARANTEE_FUND] == 370_000


GOOD = make_day([[5 * KWH, 0], [0, 0]], [[0, 0], [0, 3 * KWH]], [Trade(1, 0, 0, 10, 4000)])
RULE = SettlementRule
REFUSALS = [
    (make_day(np.zeros((2, 0)), np.zeros((2, 0)), losses_wh=[]), DayProblem(RULE.SETTLEMENT_NO_PERIODS)),
    (replace(GOOD, surplus_price_ticks=np.array([2800, 6501])), DayProblem(RULE.SETTLEMENT_PRICES_CROSSED, "GP-20260715-0015")),
    (replace(GOOD, voltage_adder_micro_per_kwh=np.array([0, -1])), DayProblem(RULE.SETTLEMENT_ADDER_OUT_OF_RANGE, account=33)),
    (replace(GOOD, voltage_adder_micro_per_kwh=np.array([10**9 + 1, 0])), DayProblem(RULE.SETTLEMENT_ADDER_OUT_OF_RANGE, account=32)),
    (
        replace(GOOD, readings=replace(GOOD.readings, grid_metered=np.array([True, False]))),
        DayProblem(RULE.SETTLEMENT_GRID_READING_MISSING, "GP-20260715-0015"),
    ),
    (
        replace(GOOD, readings=replace(GOOD.readings, metered=np.array([[True, False], [True, False]]))),
        DayProblem(RULE.SETTLEMENT_READING_MISSING, "GP-20260715-0015", 32),
    ),
    (alter_reading(GOOD, "losses_wh", (1,), 1), DayProblem(RULE.SETTLEMENT_PHYSICAL_BALANCE, "GP-20260715-0015", error_wh=-1)),
]


@pytest.mark.parametrize(("day", "problem"), REFUSALS, ids=lambda value: str(value) if isinstance(value, DayProblem) else "")
def test_a_day_that_breaks_a_rule_is_named_and_not_settled(day: DayInput, problem: DayProblem) -> None:
    assert check_day(day) == problem
    with pytest.raises(CheckFailedError, match=problem.rule.name):
        settle_day(day)


def test_the_cases_cover_every_rule() -> None:
    assert {problem.rule for _, problem in REFUSALS} == set(RULE)


def test_an_account_that_was_never_metered_needs_no_reading() -> None:
    never = replace(GOOD, must_be_metered=np.array([True, False]), readings=replace(GOOD.readings, metered=np.array([[True] * 2, [False] * 2])))
    assert check_day(never) is None


@pytest.mark.parametrize(
    ("field", "rule"),
    [
        ("net_lots", "net positions sum to zero"),
        ("contract_lots", "contracts sum to zero"),
        ("bought_lots", "net position is bought less sold"),
        ("sold_value_micro", "value bought is value sold"),
    ],
)
def test_positions_that_do_not_balance_are_a_fault_of_the_exchange(field: str, rule: str) -> None:
    values = getattr(GOOD, field).copy()
    values[0, 1] += 1
    with pytest.raises(CheckFailedError, match=rule):
        check_day(replace(GOOD, **{field: values}))


@given(days())
def test_postings_balance_and_clearing_and_the_fund_end_at_zero(day: DayInput) -> None:
    result = settle_day(day)
    before, after = balances_before(day), post_all(day, result)
    assert sum(after.values()) == sum(before.values())
    assert after[House.CLEARING] == after[House.NETTING_FUND] == after[House.NETWORK_TARIFF] == 0
    assert report(result).netting_fund_micro >= 0
    assert abs(report(result).rounding_micro) <= len(day.accounts) + 2
    assert report(result).max_balance_error_wh == 0
    # Invariant 8 of the rules: the members' imbalances with the losses are the grid point's difference.
    grid_wh = day.readings.grid_export_wh - day.readings.grid_import_wh
    assert np.array_equal(result.imbalance_wh.sum(axis=0), grid_wh + day.readings.losses_wh)


@given(days())
def test_statements_tell_what_happened_to_the_balances(day: DayInput) -> None:
    result = settle_day(day)
    before, after = balances_before(day), post_all(day, result)
    for statement in report(result).statements:
        at_trade = statement.amount_micro(LineItem.ENERGY_BOUGHT) + statement.amount_micro(LineItem.TRADING_FEE)
        assert after[statement.account] - before[statement.account] == statement.total_micro - at_trade + statement.claim_micro
        assert statement.claim_micro == 0 or after[statement.account] == 0
    assert -after[House.GUARANTEE_FUND] == sum(claim.amount_micro for claim in result.claims) or not result.claims


@given(days(), st.data())
def test_one_reading_altered_by_one_wh_is_found(day: DayInput, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(["consumption_wh", "generation_wh", "grid_import_wh", "grid_export_wh", "losses_wh"]))
    index = tuple(data.draw(st.integers(0, size - 1)) for size in getattr(day.readings, field).shape)
    change_wh = data.draw(st.sampled_from([-1, 1]))
    sign = 1 if field in {"generation_wh", "grid_import_wh"} else -1
    expected = DayProblem(RULE.SETTLEMENT_PHYSICAL_BALANCE, day.symbols[index[-1]], error_wh=sign * change_wh)
    assert check_day(day) is None
    assert check_day(alter_reading(day, field, index, change_wh)) == expected


@given(days(), st.data())
def test_buying_and_selling_on_changes_no_fee_and_no_refund(day: DayInput, data: st.DataObject) -> None:
    """Churn: A sells to B and B sells the same back, at any prices."""
    periods = len(day.symbols)
    trades = data.draw(trades_among(range(len(day.accounts)), periods))
    churned = replace(
        day,
        bought_lots=day.bought_lots.copy(), sold_lots=day.sold_lots.copy(),
        bought_value_micro=day.bought_value_micro.copy(), sold_value_micro=day.sold_value_micro.copy(),
    )
    for seller, buyer, period, lots, price in trades:
        for sells, buys, ticks in ((seller, buyer, price), (buyer, seller, 15_000 - price)):
            churned.bought_lots[buys, period] += lots
            churned.sold_lots[sells, period] += lots
            churned.bought_value_micro[buys, period] += lots * ticks * 10
            churned.sold_value_micro[sells, period] += lots * ticks * 10
    plain, traded = report(settle_day(day)), report(settle_day(churned))
    items = (LineItem.PARK_FEE, LineItem.NETTING_REFUND, LineItem.DEFICIT, LineItem.SURPLUS, LineItem.VOLTAGE_ADDER)
    for before, after in zip(plain.statements, traded.statements, strict=True):
        assert [before.amount_micro(item) for item in items] == [after.amount_micro(item) for item in items]


@given(days())
def test_the_refund_is_shared_by_meters_only(day: DayInput) -> None:
    """Shares follow consumption plus generation to within one micro-CNY, whatever was traded."""
    settlement = report(settle_day(day))
    metered_wh = [s.consumption_wh + s.generation_wh for s in settlement.statements]
    for statement, energy_wh in zip(settlement.statements, metered_wh, strict=True):
        quota = settlement.netting_fund_micro * energy_wh
        if sum(metered_wh):
            assert abs(statement.amount_micro(LineItem.NETTING_REFUND) * sum(metered_wh) - quota) < sum(metered_wh)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict, list[int], list[Trade], list[Trade]]:
    """A park, a set of its accounts, trades of everybody, and trades inside the set. Prices are whole, so that only the refund's split rounds."""
    n, periods = draw(st.integers(3, 6)), draw(st.integers(1, 2))
    inside = list(range(draw(st.integers(2, n))))
    park = {**draw(meters(n, periods)), **draw(prices(periods, whole=True)), "contract_lots": draw(contracts(n, periods))}
    park["fee_lot_micro"] = 100 * draw(st.integers(0, 80))
    return park, inside, draw(trades_among(range(n), periods, max_size=4)), draw(trades_among(inside, periods))


def merged(day: DayInput, inside: list[int]) -> DayInput:
    """The same day with the set as one net member in row 0: one meter, one position."""
    others = [row for row in range(len(day.accounts)) if row not in inside]

    def join(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values[inside].sum(axis=0, keepdims=True), values[others]])

    net, readings = join(day.net_lots), day.readings
    fields = ("contract_lots", "bought_value_micro", "sold_value_micro", "trading_fee_micro", "held_park_fee_micro", "held_guarantee_micro")
    keep = [inside[0], *others]
    return replace(
        day,
        accounts=day.accounts[keep], names=tuple(day.names[row] for row in keep), roles=tuple(day.roles[row] for row in keep),
        net_lots=net, bought_lots=np.maximum(net, 0), sold_lots=np.maximum(-net, 0),
        nomination_wh=day.nomination_wh[keep], voltage_adder_micro_per_kwh=day.voltage_adder_micro_per_kwh[keep],
        available_micro=day.available_micro[keep], must_be_metered=day.must_be_metered[keep],
        readings=replace(
            readings, consumption_wh=join(readings.consumption_wh), generation_wh=join(readings.generation_wh),
            metered=readings.metered[keep], replaced=readings.replaced[keep], soc_wh=readings.soc_wh[keep],
        ),
        **{name: join(getattr(day, name)) for name in fields},
    )


@given(worlds())
def test_a_set_that_trades_inside_only_is_never_better_than_as_one_net_member(world: tuple) -> None:
    """At any prices, with any churn: the set loses the spread on what it does not net and gets back only its share of it."""
    park, inside, _, inside_trades = world
    traded = settle_day(make_day(**park, trades=inside_trades))
    as_one = settle_day(merged(make_day(**park), inside))
    assert total_of(traded, inside) <= report(as_one).statements[0].total_micro + len(inside) + 1


@given(worlds())
def test_beside_trades_with_others_inside_trades_gain_no_more_than_the_park_fee_they_avoid(world: tuple) -> None:
    """Energy bought from others and handed on inside the set is no longer anybody's market withdrawal: the operator may lose its fee on it,
    no other member loses anything (docs/rules.md, "Known limits of settlement").
    """
    park, inside, outside_trades, inside_trades = world
    traded = settle_day(make_day(**park, trades=outside_trades + inside_trades))
    as_one = settle_day(merged(make_day(**park, trades=outside_trades), inside))
    fee = LineItem.PARK_FEE
    avoided_micro = sum(report(traded).statements[row].amount_micro(fee) for row in inside) - report(as_one).statements[0].amount_micro(fee)
    assert total_of(traded, inside) <= report(as_one).statements[0].total_micro + avoided_micro + len(inside) + 1


@given(worlds(), st.sampled_from([-1, 1]))
def test_a_set_on_one_side_gains_nothing_by_trading_among_itself(world: tuple, sign: int) -> None:
    """All imbalances of the set have one sign in every period: any trade inside can only lose."""
    park, inside, _, inside_trades = world
    silent = "generation_wh" if sign < 0 else "consumption_wh"
    park[silent] = [[0] * len(values) if row in inside else values for row, values in enumerate(park[silent])]
    park["contract_lots"] = 0
    idle, traded = settle_day(make_day(**park)), settle_day(make_day(**park, trades=inside_trades))
    assert total_of(traded, inside) <= total_of(idle, inside) + len(inside)


def kept(*days: DayInput) -> Settlements:
    book = Settlements()
    for number, day in enumerate(days):
        book.add(settle_day(replace(day, day=f"day {number}")).settlement)
    return book


def test_records_survive_their_canonical_form() -> None:
    book = kept(story_one(), failed_delivery(5000, 0))
    restored = Settlements.from_canonical([], msgspec.msgpack.decode(msgspec.msgpack.encode(book.to_canonical(whole=True))))
    assert restored.to_canonical(whole=False) == book.to_canonical(whole=False)
    for number, day in enumerate((story_one(), failed_delivery(5000, 0))):
        assert restored.report(f"day {number}") == report(settle_day(replace(day, day=f"day {number}")))
    assert restored.report("day 2") is None
    with pytest.raises(InputError, match="version"):
        Settlements.from_canonical([[2, {}]], [])
    with pytest.raises(InputError, match="version"):
        Settlements.from_canonical([], [["day", 1, msgspec.msgpack.encode([1, [], []])]])


def test_a_report_is_that_of_its_day_and_run_whatever_was_asked_for_before() -> None:
    first, other = settle_day(story_one()).settlement, settle_day(replace(story_one(), day="another")).settlement
    second = replace(first, run=2, amount_micro=first.amount_micro + 1)
    book = Settlements()
    for record in (first, second, other):
        book.add(record)
    expected = {1: day_settlement(first), 2: day_settlement(second, first), 0: day_settlement(second, first)}
    for run in (2, 2, 1, 0, 1, 2):
        assert book.report(first.day, run) == expected[run]
        assert book.report("another", min(run, 1)) == day_settlement(other)
    assert book.report(first.day, 2) == expected[2]
    assert book.report(first.day, 1) == expected[1]


def test_the_digest_of_a_day_knows_every_line_of_every_account() -> None:
    record = settle_day(story_one()).settlement
    book = Settlements()
    for line in range(len(record.items)):
        changed = record.amount_micro.copy()
        changed[line, 2] += 1
        book.add(replace(record, amount_micro=changed))
    assert len({digest for _, _, digest in book.to_canonical(whole=False)}) == len(record.items) > 4


def test_days_of_before_levels_keep_the_bytes_their_hashes_were_made_of() -> None:
    """The digest is that of the version before records had columns."""
    book = Settlements()
    for day in (story_one(), replace(failed_delivery(5000, 0), day="2026-07-16")):
        book.add(settle_day(day).settlement, written_out=True)
    rows = book.written_out_to_canonical()
    old = [rows[0], [1, json.loads(json.dumps(rows[1][1]).replace("2026-07-16", "2026-07-15"))]]
    digest = hashlib.sha256(msgspec.msgpack.encode(old, order="deterministic")).hexdigest()
    assert digest == "6aa3c1fcbe5f95db67ccda58edc74eec80f83b7abf147cafd72d31ab2a9722d3"
    restored = Settlements.from_canonical(rows, [])
    assert (restored.written_out_to_canonical(), restored.to_canonical(whole=False)) == (rows, [])


def test_each_line_knows_its_posting() -> None:
    result = settle_day(story_one())
    record, rows = result.settlement, entries(result)
    for line, item in enumerate(record.items):
        for row, place in enumerate(record.postings[line].tolist()):
            if place >= 0:
                debit, credit, amount_micro, reason = rows[place]
                assert record.accounts[row] in {debit, credit}
                assert (abs(record.amount_micro[line, row]), REASONS[item]) == (amount_micro, reason)
            else:
                assert item not in REASONS or record.amount_micro[line, row] == 0


def test_amounts_beyond_int64_products_are_exact() -> None:
    """96 periods of the largest reading at a price of 10,000 CNY/kWh: the sum of ticks x Wh passes 2**63 on the way to the amount."""
    ticks = 100_000_000
    assert 96 * READING_LIMIT_WH * ticks > 2**63
    day = make_day([[READING_LIMIT_WH] * 96], [[0] * 96], deficit_ticks=ticks)
    assert report(settle_day(day)).statements[0].amount_micro(LineItem.DEFICIT) == -96 * READING_LIMIT_WH * ticks // 10
