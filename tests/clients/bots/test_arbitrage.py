"""A purchase and a later sale as one basket: the best there is in the books, never more than the battery can carry through."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.bots.actions import Basket
from clients.bots.arbitrage import best_pair
from clients.bots.battery import Exposure, worst_case_holds
from clients.bots.market import OwnOrder, Quote
from clients.bots.private import Activity, StorageData
from clients.bots.storage import Storage
from tests.clients.bots.markets import DAY_NS, OPENS_NS, contract, rng, view
from tests.clients.bots.test_storage import BATTERY

EMPTY = Exposure(0, 0, 0)


def books(*prices: tuple[int | None, int | None], lots: int = 1_000) -> dict[str, Quote]:
    """(best bid, best ask) of the first quarter-hours of the day."""
    return {f"GP-{i:02d}": Quote(bid, lots, ask, lots) for i, (bid, ask) in enumerate(prices)}


def pair_of(quotes: dict[str, Quote], soc_wh: int = BATTERY.soc_min_wh, exposures: list[Exposure] | None = None, **rest: object):
    contracts = [contract(period=i) for i in range(len(quotes))]
    market = view(OPENS_NS, *contracts, quotes=quotes, **rest)
    return best_pair(market, contracts, BATTERY, soc_wh, exposures or [EMPTY] * len(quotes), 200)


def test_takes_the_greatest_gain_and_sells_what_comes_back() -> None:
    pair = pair_of(books((None, 5_000), (None, 3_000), (8_000, None), (9_000, None)))
    assert pair is not None
    assert (pair.charge.symbol, pair.discharge.symbol, pair.buy_ticks, pair.sell_ticks) == ("GP-01", "GP-03", 3_000, 9_000)
    assert (pair.buy_lots, pair.sell_lots) == (1_000, 879)  # 0.938083 squared
    assert pair.gain == 879 * (9_000 - 20 - 200) - 1_000 * (3_000 + 20 + 400)


@pytest.mark.parametrize(
    "quotes",
    [
        books((None, None), (None, None)),
        books((9_000, None), (None, 3_000)),  # dear before cheap: it is empty
        books((None, 7_000), (8_000, None)),  # fees, wear and losses take it
    ],
    ids=["no quotes", "the wrong way round", "not enough"],
)
def test_no_pair(quotes: dict[str, Quote]) -> None:
    assert pair_of(quotes) is None


def test_keeps_out_of_its_own_orders() -> None:
    quotes = books((None, 3_000), (9_000, None))
    assert pair_of(quotes, exposures=[EMPTY._replace(open_sell_wh=100), EMPTY]) is None
    assert pair_of(quotes, exposures=[EMPTY, EMPTY._replace(open_buy_wh=100)]) is None


@settings(max_examples=60)
@given(
    soc_wh=st.integers(BATTERY.soc_min_wh, BATTERY.soc_max_wh),
    prices=st.lists(st.tuples(st.integers(2_800, 12_000), st.integers(2_800, 12_000)), min_size=2, max_size=6),
    lots=st.integers(1, 20_000),
    open_wh=st.lists(st.integers(0, 400_000), min_size=12, max_size=12),
)
def test_filled_whole_the_worst_case_still_holds(soc_wh, prices, lots, open_wh) -> None:
    exposures = [Exposure(0, open_wh[2 * i] if i % 2 else 0, 0 if i % 2 else open_wh[2 * i + 1]) for i in range(len(prices))]
    pair = pair_of(books(*prices, lots=lots), soc_wh, exposures)
    if pair is None or not worst_case_holds(BATTERY, soc_wh, exposures):
        return
    at = {f"GP-{i:02d}": i for i in range(len(prices))}
    for chosen, bought in ((pair.charge, pair.buy_lots), (pair.discharge, -pair.sell_lots)):
        i = at[chosen.symbol]
        exposures[i] = exposures[i]._replace(net_wh=exposures[i].net_wh + bought * chosen.lot_wh)
    assert worst_case_holds(BATTERY, soc_wh, exposures)
    assert pair.gain > 0
    assert pair.buy_lots <= lots
    assert pair.sell_lots <= lots


def test_the_storage_sends_it_alone_and_quotes_in_the_next_turn() -> None:
    data = StorageData(
        first_period_ns=DAY_NS, soc_wh=BATTERY.soc_min_wh, soc_min_wh=BATTERY.soc_min_wh, soc_max_wh=BATTERY.soc_max_wh, power_w=BATTERY.power_w,
        charge_efficiency_ppm=BATTERY.charge_ppm, discharge_efficiency_ppm=BATTERY.discharge_ppm, activity=Activity(near=9, far=0), baskets=True,
    )  # fmt: skip
    strategy = Storage(data, rng(), label=4)
    contracts = [contract(period=i, deficit=12_000) for i in range(2)]
    market = view(OPENS_NS, *contracts, quotes=books((None, 3_000), (9_000, None)))
    strategy.withdrawals(market)
    (basket,) = strategy.on_turn(market)
    assert isinstance(basket, Basket)
    assert [(leg.symbol, leg.side, leg.price_ticks, leg.label) for leg in basket.legs] == [("GP-00", "buy", 3_000, 4), ("GP-01", "sell", 9_000, 4)]
    own = {"GP-00": [OwnOrder(1, "sell", 3_000, 5, 9)]}
    assert not any(isinstance(action, Basket) for action in strategy.on_turn(view(OPENS_NS, *contracts, quotes=market.quotes, orders=own)))
