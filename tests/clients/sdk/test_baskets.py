"""Baskets through the SDK: orders that know their fills, refusals with their leg, and a resend after a lost connection."""

import pytest

from clients.sdk.client import connect
from clients.sdk.errors import OrderRejected
from exchange.protocol.reject_codes import RejectCode
from tests.exchange.gateway.parks import POWER, UNITS, private_key, running_park


async def test_place_basket() -> None:
    async with (
        running_park() as park, connect(park.connector, key_id="factory", private_key=private_key("factory")) as factory,
        connect(park.connector, key_id="solar", private_key=private_key("solar")) as solar,
    ):
        await solar.place(POWER, "sell", price="0.4000", quantity="10.0")
        await solar.place(UNITS, "buy", price="60.00", quantity="6")
        bought, sold = await factory.place_basket(
            [
                factory.basket_leg(POWER, "buy", price="0.4100", quantity="4.0"),
                factory.basket_leg(UNITS, "sell", type="market", quantity="6", label=3),
            ]
        )
        assert (bought.status, bought.filled, bought.remaining, bought.average_price) == ("filled", "4.0", "0.0", "0.400000")
        assert (sold.status, [fill.quantity for fill in sold.fills], sold.label) == ("filled", ["6"], 3)
        with pytest.raises(OrderRejected) as refused:
            await factory.place_basket(
                [
                    factory.basket_leg(POWER, "buy", price="0.4100", quantity="4.0"),
                    factory.basket_leg(UNITS, "sell", price="60.00", quantity="1"),
                ],
                deadline_ns=factory.now_ns + 10**9,
            )
        assert refused.value.code == RejectCode.FILL_OR_KILL_UNFILLABLE
        assert refused.value.data["leg"] == 1
        assert str(refused.value).endswith(" · leg 1")
        assert dict(factory.open_orders) == {}
