"""The thinnest whole: log on, place, trade, cancel, over frames and over the SDK."""

import pytest

from clients.sdk import OrderRejected, connect
from tests.exchange.gateway.parks import POWER, private_key, running_park


async def test_two_members_trade_over_the_sdk() -> None:
    async with running_park() as park, connect(park.connector, key_id="solar", private_key=private_key("solar")) as solar:
        offer = await solar.place(POWER, "sell", price="0.4100", quantity="12.5")
        assert (offer.status, offer.remaining, offer.revision) == ("resting", "12.5", 1)
        async with connect(park.connector, key_id="factory", private_key=private_key("factory")) as factory:
            book = await factory.subscribe_book(POWER)
            assert [tuple(level) for level in book.asks] == [("0.4100", "12.5", 1)]
            bought = await factory.place(POWER, "buy", price="0.4200", quantity="10.0")
            assert (bought.status, bought.filled, bought.average_price) == ("filled", "10.0", "0.410000")
            assert [(fill.price, fill.quantity, fill.liquidity) for fill in bought.fills] == [("0.4100", "10.0", "taker")]
            assert not factory.open_orders
        await offer.cancel()
        assert (offer.status, offer.filled) == ("cancelled", "10.0")
        with pytest.raises(OrderRejected) as refusal:
            await offer.cancel()
        assert refusal.value.code == 3006
