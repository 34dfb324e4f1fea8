"""Cliff 1997, section 4: when margins rise and fall, and where a market of ZIP traders ends up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.bots.private import ZipData
from clients.bots.zip_trader import Margin, Zip
from tests.clients.bots.markets import forecast, rng


def trader(seed: int = 3) -> Zip:
    return Zip(ZipData(forecast=forecast([0]), min_net_lots=0, max_net_lots=0), rng(seed))


# side, own price, last shout, its kind, accepted -> sign of the change of the quoted price
RULES = [
    ("sell", 110, 150, "bid", True, +1),  # a bid above my price was accepted: ask more
    ("sell", 110, 150, "offer", True, +1),
    ("sell", 150, 110, "bid", True, -1),  # a bid below my price was accepted: I am too dear
    ("sell", 150, 110, "offer", True, 0),
    ("sell", 150, 110, "offer", False, -1),  # somebody offers cheaper and is not taken: undercut
    ("sell", 110, 150, "offer", False, 0),
    ("sell", 150, 110, "bid", False, 0),
    ("buy", 90, 50, "offer", True, -1),  # an offer below my price was accepted: bid less
    ("buy", 90, 50, "bid", True, -1),
    ("buy", 50, 90, "offer", True, +1),  # an offer above my price was accepted: I bid too little
    ("buy", 50, 90, "bid", True, 0),
    ("buy", 50, 90, "bid", False, +1),  # somebody bids more and is not taken: outbid
    ("buy", 90, 50, "bid", False, 0),
    ("buy", 50, 90, "offer", False, 0),
]


@pytest.mark.parametrize(("side", "price", "shout", "kind", "accepted", "sign"), RULES)
def test_table_of_margins(side, price, shout, kind, accepted, sign) -> None:
    margin = Margin(side, 100, price / 100 - 1)
    before = margin.price
    trader().hear(margin, shout, kind, accepted=accepted)
    change = margin.price - before
    assert (change > 0) - (change < 0) == sign


@given(
    side=st.sampled_from(["buy", "sell"]),
    shouts=st.lists(st.tuples(st.integers(1, 20_000), st.sampled_from(["bid", "offer"]), st.booleans()), max_size=60),
    seed=st.integers(0, 2**32),
)
def test_the_price_never_crosses_the_limit(side, shouts, seed) -> None:
    zip_trader = trader(seed)
    margin = Margin(side, 6000, 0.2 if side == "sell" else -0.2)
    for shout, kind, accepted in shouts:
        zip_trader.hear(margin, shout, kind, accepted=accepted)
        assert (margin.price >= 6000) if side == "sell" else (0 <= margin.price <= 6000)


def test_margins_follow_the_market_price() -> None:
    zip_trader = trader()
    seller = Margin("sell", 3000, 0.5)
    for _ in range(200):
        zip_trader.hear(seller, 3600, "bid", accepted=True)
    assert 3400 < seller.price < 3900
