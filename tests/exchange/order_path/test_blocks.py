"""Block contracts through the order path: listed over their quarter-hours, held for and filled in each, gone when the last is settled."""

from typing import Any

import pytest

from exchange.journal.record import CommandFlag, CommandKind
from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.protocol.documents import (
    InstrumentSpec,
    ListInstruments,
    MeterReadings,
    Nominate,
    OpeningPosition,
    OpeningPositions,
    SetPhase,
    SettleDay,
)
from exchange.protocol.reject_codes import RejectCode
from exchange.settlement.rendering import statement_to_text
from exchange.settlement.statement import LineItem
from exchange.units import NS_PER_DAY, NS_PER_MINUTE, PERIOD_NS
from matching.records import SelfTrade, Side, TimeInForce
from tests.exchange.order_path.park import DAY_NS, GENESIS, OPEN_NS, Park, block_spec, power_spec, units_spec

BUY, SELL = int(Side.BUY), int(Side.SELL)
DEFICITS = (6_500, 10_820, 3_000, 3_200)
FEES = (4_000, 4_000, 0, 5_000)


class Market(Park):
    """Four quarter-hours from 10:00 with deficit prices and park fees of their own, a block over all and one over the last two."""

    def __init__(self) -> None:
        super().__init__()
        power = ["power_buy", "power_sell"]
        self.load = self.admit("E01", "enterprise", power, high=1_000, cash_cny=500)
        self.solar = self.admit("PV01", "generator", power, low=-1_000, cash_cny=500)
        self.battery = self.admit("S01", "storage", power, low=-100_000, high=100_000)
        self.storage(self.battery, soc_wh=4_000, soc_max_wh=9_000, power_w=20_000)
        terms = zip(DEFICITS, FEES, strict=True)
        self.quarters = self.list(*(power_spec(40 + i, deficit_price_ticks=d, park_fee_lot_micro=f) for i, (d, f) in enumerate(terms)))
        self.peak, self.half = self.list(
            block_spec("PEAK", park_fee_lot_micro=sum(FEES)), block_spec("HALF", 42, 2, park_fee_lot_micro=sum(FEES[2:]))
        )
        self.tick(OPEN_NS)

    def open_lots(self, account: int) -> list[tuple[int, int]]:
        """(open buys, open sells) of the quarter-hours and the two blocks."""
        rows = [self.exchange.state.positions[slot, account] for slot in range(6)]
        return [(int(row.open_buy_lots), int(row.open_sell_lots)) for row in rows]

    def nets(self, account: int) -> list[int]:
        return [int(self.exchange.state.positions[slot, account].net_lots) for slot in range(6)]

    def held(self, account: int) -> int:
        return self.exchange.balances(account).held_micro


def guarantee_micro(price_ticks: int, lots: int, deficits: tuple[int, ...] = DEFICITS) -> int:
    return sum(lots * max(0, deficit - price_ticks) * 10 for deficit in deficits)


def test_a_resting_order_holds_for_every_quarter_hour_and_is_open_in_each() -> None:
    market = Market()
    order = market.place(market.solar, market.peak, SELL, 3_100, 7)
    assert market.held(market.solar) == guarantee_micro(3_100, 7) + 7 * 4 * 50
    assert market.open_lots(market.solar) == [(0, 7)] * 5 + [(0, 0)]
    market.place(market.solar, market.half, SELL, 4_000, 2)
    assert market.open_lots(market.solar) == [(0, 7), (0, 7), (0, 9), (0, 9), (0, 7), (0, 2)]
    check_exchange(market.exchange)
    assert market.amend(market.solar, int(order["order_id"]), 1, quantity_lots=3)["code"] == 0
    assert market.open_lots(market.solar)[2:5] == [(0, 5), (0, 5), (0, 3)]
    assert market.amend(market.solar, int(order["order_id"]), 2, price_ticks=3_300, quantity_lots=4)["code"] == 0
    assert market.held(market.solar) == guarantee_micro(3_300, 4) + 4 * 4 * 50 + guarantee_micro(4_000, 2, DEFICITS[2:]) + 2 * 2 * 50
    check_exchange(market.exchange)
    flags = CommandFlag.ALL_INSTRUMENTS | CommandFlag.ALL_SIDES | CommandFlag.ALL_LABELS
    assert market.one(CommandKind.MASS_CANCEL, market.solar, flags=flags)["cancelled_orders"] == 2
    assert (market.held(market.solar), market.open_lots(market.solar)) == (0, [(0, 0)] * 6)


def test_a_fill_is_an_equal_position_in_every_quarter_hour_to_the_micro() -> None:
    market = Market()
    buyer, seller = market.exchange.balances(market.load).balance_micro, market.exchange.balances(market.solar).balance_micro
    market.place(market.solar, market.peak, SELL, 3_100, 7)
    bought = market.place(market.load, market.peak, BUY, 3_300, 5)
    assert (bought["code"], bought["filled_lots"], bought["notional_micro"]) == (0, 5, 5 * 3_100 * 10 * 4)
    assert market.nets(market.load) == [5, 5, 5, 5, 0, 0]
    assert market.nets(market.solar) == [-5, -5, -5, -5, 0, 0]
    assert market.exchange.balances(market.load).balance_micro == buyer - 5 * 3_100 * 40 - 5 * 4 * 50
    assert market.exchange.balances(market.solar).balance_micro == seller - 5 * 4 * 20
    assert market.exchange.balances(House.CLEARING).balance_micro == 5 * 3_100 * 40
    assert market.held(market.load) == 5 * sum(FEES)
    assert market.held(market.solar) == guarantee_micro(3_100, 5) + guarantee_micro(3_100, 2) + 2 * 4 * 50
    for slot in range(4):
        row = market.exchange.state.positions[slot, market.load]
        assert (row.bought_lots, row.bought_micro, row.fees_micro, row.held_park_fee_micro) == (5, 5 * 3_100 * 10, 5 * 50, 5 * FEES[slot])
        sold = market.exchange.state.positions[slot, market.solar]
        assert (sold.sold_lots, sold.fees_micro, sold.held_guarantee_micro) == (5, 5 * 20, guarantee_micro(3_100, 5, (DEFICITS[slot],)))
    check_exchange(market.exchange)


def test_nothing_is_implied_between_a_block_and_its_quarter_hours() -> None:
    market = Market()
    market.place(market.solar, market.peak, SELL, 3_000, 5)
    assert market.place(market.load, market.quarters[0], BUY, 9_000, 5, time_in_force=TimeInForce.IOC)["code"] == RejectCode.NO_LIQUIDITY
    for quarter in market.quarters:
        market.place(market.solar, quarter, SELL, 2_000, 5)
    assert market.place(market.load, market.peak, BUY, 2_500, 5, time_in_force=TimeInForce.IOC)["code"] == RejectCode.NO_LIQUIDITY


def test_position_limits_count_a_quarter_hour_and_every_block_that_covers_it() -> None:
    market = Market()
    market.place(market.solar, market.peak, SELL, 4_000, 600)
    assert market.place(market.solar, market.quarters[2], SELL, 4_000, 401)["code"] == RejectCode.POSITION_LIMIT
    assert market.place(market.solar, market.half, SELL, 4_000, 401)["code"] == RejectCode.POSITION_LIMIT
    assert market.place(market.solar, market.quarters[2], SELL, 4_000, 400)["code"] == 0
    assert market.place(market.solar, market.half, SELL, 4_000, 1)["code"] == RejectCode.POSITION_LIMIT
    assert market.place(market.solar, market.quarters[0], SELL, 4_000, 400)["code"] == 0
    # A load sells in a block only what it is long in each quarter-hour.
    assert market.place(market.load, market.peak, BUY, 4_000, 30)["filled_lots"] == 30
    assert market.place(market.load, market.quarters[3], SELL, 9_000, 1)["code"] == 0
    assert market.place(market.load, market.half, SELL, 9_000, 30)["code"] == RejectCode.POSITION_LIMIT
    assert market.place(market.load, market.half, SELL, 9_000, 29)["code"] == 0
    check_exchange(market.exchange)


@pytest.mark.parametrize(
    ("block", "side", "lots", "code"),
    [
        ("peak", BUY, 51, RejectCode.STORAGE_RATING),
        ("peak", SELL, 51, RejectCode.STORAGE_RATING),
        ("peak", BUY, 14, RejectCode.STORAGE_ENERGY),  # 4 x 1.4 kWh charge 5.25 of the 5.0 there is room for
        ("peak", BUY, 13, RejectCode.ACCEPTED),
        ("peak", SELL, 10, RejectCode.STORAGE_ENERGY),  # 4 x 1.0 kWh draw 4.26 of 4.0
        ("peak", SELL, 9, RejectCode.ACCEPTED),
        ("half", SELL, 19, RejectCode.STORAGE_ENERGY),
        ("half", SELL, 18, RejectCode.ACCEPTED),
    ],
)
def test_a_storage_carries_a_block_through_all_its_quarter_hours(block: str, side: int, lots: int, code: RejectCode) -> None:
    market = Market()
    before = canonical.content(market.exchange)["positions"]
    assert market.place(market.battery, getattr(market, block), side, 4_000, lots)["code"] == code
    if code is not RejectCode.ACCEPTED:
        assert canonical.content(market.exchange)["positions"] == before
    check_exchange(market.exchange)


def test_a_basket_of_a_block_and_a_quarter_hour_is_looked_at_as_a_whole() -> None:
    market = Market()
    market.place(market.solar, market.peak, SELL, 3_000, 50)
    market.place(market.load, market.quarters[3], BUY, 4_000, 100)
    assert market.place(market.battery, market.peak, BUY, 3_000, 20)["code"] == RejectCode.STORAGE_ENERGY
    # 2.0 kWh in each of four quarter-hours and 5.0 back in the last: 4.0 + 3 x 1.876 = 9.63 is more than 9, 3 x 1.594 is not.
    assert market.basket(market.battery, (market.peak, BUY, 3_000, 20), (market.quarters[3], SELL, 3_500, 50))[0] == RejectCode.STORAGE_ENERGY
    assert market.basket(market.battery, (market.peak, BUY, 3_000, 17), (market.quarters[3], SELL, 3_500, 66)) == [0, 0]
    assert market.nets(market.battery)[:4] == [17, 17, 17, 17 - 66]
    check_exchange(market.exchange)


def test_the_rating_of_a_basket_is_that_of_what_its_legs_come_to() -> None:
    market = Market()
    market.place(market.solar, market.peak, SELL, 3_000, 50)
    market.place(market.load, market.quarters[3], BUY, 4_000, 100)
    assert market.basket(market.battery, (market.peak, BUY, 3_000, 10), (market.quarters[3], SELL, 3_500, 61)) == [
        RejectCode.STORAGE_RATING, RejectCode.BASKET_REFUSED,
    ]  # fmt: skip
    assert market.basket(market.battery, (market.quarters[3], SELL, 3_500, 60), (market.peak, BUY, 3_000, 10)) == [0, 0]


def test_an_all_or_none_block_rests_until_it_fills_in_every_quarter_hour() -> None:
    market = Market()
    waits = market.place(market.load, market.peak, BUY, 4_000, 50, flags=CommandFlag.ALL_OR_NONE)
    assert (waits["code"], waits["remaining_lots"]) == (0, 50)
    assert market.place(market.solar, market.peak, SELL, 4_000, 49, time_in_force=TimeInForce.IOC)["code"] == RejectCode.NO_LIQUIDITY
    assert market.nets(market.load) == [0] * 6
    assert market.place(market.solar, market.peak, SELL, 4_000, 50)["filled_lots"] == 50
    assert market.nets(market.load) == [50, 50, 50, 50, 0, 0]
    check_exchange(market.exchange)


def test_self_trade_decrement_releases_in_every_quarter_hour() -> None:
    market = Market()
    market.place(market.battery, market.half, SELL, 4_000, 5)
    before = market.held(market.battery)
    market.place(market.battery, market.half, BUY, 4_000, 3, self_trade=SelfTrade.DECREMENT)
    assert market.open_lots(market.battery) == [(0, 0), (0, 0), (0, 2), (0, 2), (0, 0), (0, 2)]
    assert market.held(market.battery) * 5 == before * 2
    check_exchange(market.exchange)


def test_a_block_closes_with_its_first_quarter_hour_and_releases_in_all() -> None:
    market = Market()
    market.place(market.solar, market.peak, SELL, 4_000, 5)
    market.place(market.load, market.half, BUY, 4_000, 5)
    market.tick(DAY_NS + 40 * PERIOD_NS - 5 * NS_PER_MINUTE)
    assert (market.held(market.solar), market.open_lots(market.solar)) == (0, [(0, 0)] * 6)
    assert market.open_lots(market.load)[2:] == [(5, 0), (5, 0), (0, 0), (5, 0)]
    assert market.place(market.load, market.peak, BUY, 4_000, 1)["code"] == RejectCode.NOT_OPEN_FOR_TRADING
    assert market.place(market.load, market.quarters[1], BUY, 4_000, 1)["code"] == 0
    check_exchange(market.exchange)


RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "no whole quarter-hours": ("delivery_is_not_quarter_hours", {"delivery_end_ns": DAY_NS + 41 * PERIOD_NS + 1}),
    "a quarter-hour and more than a day": ("delivery_is_not_quarter_hours", {"delivery_end_ns": DAY_NS + (40 + 97) * PERIOD_NS}),
    "no delivery": ("delivery_is_not_quarter_hours", {"delivery_end_ns": DAY_NS + 40 * PERIOD_NS}),
    "one quarter-hour is not listed": (
        "block_period_not_listed", {"delivery_end_ns": DAY_NS + 45 * PERIOD_NS, "multiplier_micro": 50, "park_fee_lot_micro": sum(FEES)}),
    "another unit": ("block_terms_differ_from_periods", {"unit": "MWh"}),
    "another lot": ("block_terms_differ_from_periods", {"quantity_decimals": 0}),
    "the value of one quarter-hour": ("block_fees_are_not_the_sum_of_its_periods", {"multiplier_micro": 10}),
    "a lower maker fee": ("block_fees_are_not_the_sum_of_its_periods", {"maker_fee_lot_micro": 79}),
    "a lower taker fee": ("block_fees_are_not_the_sum_of_its_periods", {"taker_fee_lot_micro": 199}),
    "a lower park fee": ("block_fees_are_not_the_sum_of_its_periods", {"park_fee_lot_micro": 12_999}),
    "a deficit price": ("block_has_prices_of_its_own", {"deficit_price_ticks": 1}),
    "an environment price": ("block_has_prices_of_its_own", {"environment_price_ticks": 1}),
    "a gate behind that of its first quarter-hour": ("block_outlasts_its_first_period", {"close_ns": DAY_NS + 40 * PERIOD_NS}),
    "open before its quarter-hours": ("block_opens_before_its_periods", {"open_ns": OPEN_NS - 1}),
    "a lot so dear that sums could wrap": ("notional_out_of_range", {"max_price_ticks": 2**31 - 1, "max_order_lots": 110_000}),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_listing(name: str) -> None:
    rule, changes = RULES[name]
    market = Market()
    spec = block_spec("OTHER", **({"park_fee_lot_micro": sum(FEES)} | changes))
    before = canonical.state_hash(market.exchange)
    code, answer = market.document(ListInstruments(instruments=[spec]))
    assert (code, answer) == (RejectCode.BUSINESS_RULE, {"rule": f"{rule}:{spec.symbol}"})
    counters = market.exchange.state.counters[0]
    counters.sequence -= 1
    assert canonical.state_hash(market.exchange) == before


def test_a_block_is_not_listed_over_a_quarter_hour_whose_gate_has_closed() -> None:
    market = Market()
    market.tick(DAY_NS + 40 * PERIOD_NS - 5 * NS_PER_MINUTE)
    spec = block_spec("OTHER", park_fee_lot_micro=sum(FEES))
    assert market.document(ListInstruments(instruments=[spec]))[1]["rule"] == f"block_period_not_listed:{spec.symbol}"
    code, answer = market.document(ListInstruments(instruments=[block_spec("OTHER", 41, 3, park_fee_lot_micro=sum(FEES[1:]))]))
    assert code == 0, answer


def test_a_document_may_list_a_block_with_its_quarter_hours() -> None:
    park = Park()
    specs: list[InstrumentSpec] = [power_spec(40), power_spec(41), block_spec(periods=2)]
    assert len(park.list(*specs)) == 3
    code, answer = Park().document(ListInstruments(instruments=specs[::-1]))
    assert code == 0, answer


def test_what_only_a_delivery_period_has() -> None:
    market = Market()
    symbol = "GP-20260715-PEAK"
    assert market.document(Nominate(account=market.battery, symbol=symbol, injection_wh=1))[1]["rule"] == "not_a_delivery_period"
    positions = [OpeningPosition(account=market.load, symbol=symbol, net_lots=1), OpeningPosition(account=market.solar, symbol=symbol, net_lots=-1)]
    assert market.document(OpeningPositions(positions=positions))[1]["rule"] == "not_a_delivery_period"
    assert market.document(SetPhase(symbol=symbol, phase="halted", reason="test"))[0] == 0
    assert market.place(market.load, market.peak, BUY, 4_000, 1)["code"] == RejectCode.NOT_OPEN_FOR_TRADING


def _settle(market: Market) -> None:
    """Deliver 10 kWh of the 12 sold in each quarter-hour; everything else comes from the grid."""
    n = 3
    starts_ns = [DAY_NS + (40 + i) * PERIOD_NS for i in range(4)]
    code, answer = market.document(
        MeterReadings(
            revision=1, accounts=[market.load, market.solar, market.battery] * 4, period_starts_ns=[ns for ns in starts_ns for _ in range(n)],
            consumption_wh=[12_000, 0, 0] * 4, generation_wh=[0, 10_000, 0] * 4, soc_wh=[-1, -1, 4_000] * 4, grid_starts_ns=starts_ns,
            grid_import_wh=[2_000] * 4, grid_export_wh=[0] * 4, losses_wh=[0] * 4,
        )
    )  # fmt: skip
    assert code == 0, answer
    code, answer = market.document(SettleDay(day="2026-07-15", day_start_ns=DAY_NS, day_end_ns=DAY_NS + NS_PER_DAY))
    assert (code, answer) == (0, {"day": "2026-07-15", "periods": 4})


def test_a_day_with_block_trades_settles_like_one_with_the_same_trades_of_quarter_hours() -> None:
    blocks, quarters = Market(), Market()
    for market, instruments in ((blocks, [blocks.peak]), (quarters, quarters.quarters)):
        for instrument in instruments:
            market.place(market.solar, instrument, SELL, 3_100, 120)
            assert market.place(market.load, instrument, BUY, 3_100, 120)["filled_lots"] == 120
        market.tick(DAY_NS + 44 * PERIOD_NS)
        _settle(market)
        check_exchange(market.exchange)
        assert market.exchange.balances(House.CLEARING).balance_micro == 0
        assert market.exchange.money_sum_micro() == 0
    for account in (*House, blocks.load, blocks.solar, blocks.battery):
        assert blocks.exchange.balances(account) == quarters.exchange.balances(account)
    of_blocks, of_quarters = (market.exchange.statement(market.load, "2026-07-15") for market in (blocks, quarters))
    assert of_blocks is not None
    assert of_quarters is not None
    assert of_blocks.total_micro == of_quarters.total_micro
    assert {line.item for line in of_blocks.lines} - {line.item for line in of_quarters.lines} == {LineItem.BLOCK_BOUGHT}
    assert (of_blocks.energy_wh(LineItem.BLOCK_BOUGHT), of_blocks.amount_micro(LineItem.BLOCK_BOUGHT)) == (48_000, -120 * 3_100 * 40)
    sold = blocks.exchange.statement(blocks.solar, "2026-07-15")
    assert sold is not None
    assert (sold.energy_wh(LineItem.BLOCK_SOLD), sold.amount_micro(LineItem.BLOCK_SOLD)) == (48_000, 120 * 3_100 * 40)
    assert "of which sold in block contracts" in statement_to_text(sold)
    assert "其中：多时段合约售电" in statement_to_text(sold, "zh")
    # Both blocks have left with their last quarter-hour, and their slots are free.
    assert [i.slot for i in blocks.exchange.instruments()] == [-1] * 6


def test_a_block_over_midnight_leaves_with_its_last_quarter_hour() -> None:
    park = Park()
    load = park.admit("E01", "enterprise", ["power_buy"], high=1_000)
    solar = park.admit("PV01", "generator", ["power_sell"], low=-1_000)
    park.list(power_spec(95), power_spec(96, symbol="GP-20260716-0000"), block_spec("NIGHT", 95, 2), units_spec())
    park.tick(OPEN_NS)
    park.place(solar, 3, SELL, 4_000, 10)
    park.place(load, 3, BUY, 4_000, 10)
    park.tick(DAY_NS + 97 * PERIOD_NS)
    for day, index in (("2026-07-15", 95), ("2026-07-16", 96)):
        start_ns = DAY_NS + (index // 96) * NS_PER_DAY
        readings = MeterReadings(
            revision=1, accounts=[load, solar], period_starts_ns=[DAY_NS + index * PERIOD_NS] * 2, consumption_wh=[1_000, 0],
            generation_wh=[0, 1_000], soc_wh=[-1, -1], grid_starts_ns=[DAY_NS + index * PERIOD_NS], grid_import_wh=[0], grid_export_wh=[0],
            losses_wh=[0],
        )  # fmt: skip
        assert park.document(readings)[0] == 0
        payload = canonical.snapshot(park.exchange)
        restored = Exchange(GENESIS)
        canonical.restore(restored, payload)
        assert canonical.snapshot(restored) == payload
        check_exchange(restored)
        assert park.document(SettleDay(day=day, day_start_ns=start_ns, day_end_ns=start_ns + NS_PER_DAY))[0] == 0
        statement = park.exchange.statement(load, day)
        assert statement is not None
        assert (statement.energy_wh(LineItem.BLOCK_BOUGHT), statement.amount_micro(LineItem.BLOCK_BOUGHT)) == (1_000, -10 * 4_000 * 10)
        check_exchange(park.exchange)
        block = park.exchange.instrument("GP-20260715-NIGHT")
        assert block is not None
        assert (block.slot >= 0) is (index == 95)
