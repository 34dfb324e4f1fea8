"""`dry_run` on the wire."""

from exchange.order_path import canonical
from exchange.protocol.reject_codes import MESSAGES, RejectCode
from tests.exchange.gateway.parks import POWER, UNITS, running_park
from tests.exchange.gateway.test_logon import ORDER


async def test_an_order_an_amend_and_a_basket() -> None:
    async with running_park() as park:
        buyer, seller = park.raw(), park.raw()
        await buyer.log_on("factory")
        await seller.log_on("solar")
        for number, (price, quantity) in enumerate([("0.4000", "1.0"), ("0.4001", "2.0")]):
            await seller.ask("order.place", ORDER | {"client_order_id": f"s{number}", "side": "sell", "price": price, "quantity": quantity})
        mine = (await buyer.ask("order.place", ORDER | {"client_order_id": "m", "price": "0.3900", "quantity": "4.0"}))["result"]
        state = canonical.state_hash(park.node.exchange)
        sequence = park.node.exchange.last_sequence
        terms = ORDER | {"client_order_id": "n", "price": "0.4100", "quantity": "5.0", "dry_run": True}
        assert (await buyer.ask("order.place", terms))["result"] == {
            "as_of_seq": sequence, "code": 0, "status": "resting", "price": "0.4100", "fills": [["0.4000", "1.0"], ["0.4001", "2.0"]],
            "filled": "3.0", "remaining": "2.0", "average_price": "0.400067", "hold_micro": 50 * (4_100 * 10 + 4_000 + 50), "fee_micro": 30 * 50,
        }  # fmt: skip
        amend = {"client_order_id": "a", "instrument": POWER, "order_id": mine["order_id"], "revision": 1, "quantity": "3.0", "dry_run": True}
        less = (await buyer.ask("order.amend", amend))["result"]
        assert (less["keeps_priority"], less["remaining"], less["price"]) == (True, "3.0", "0.3900")
        stale = (await buyer.ask("order.amend", amend | {"revision": 2}))["result"]
        assert stale == {"as_of_seq": sequence, "code": RejectCode.REVISION_MISMATCH, "message": MESSAGES[RejectCode.REVISION_MISMATCH]}
        leg = {"client_order_id": "l1", "instrument": POWER, "side": "buy", "price": "0.4100", "quantity": "3.0"}
        other = {"client_order_id": "l2", "instrument": UNITS, "side": "buy", "price": "62.00", "quantity": "1"}
        whole = (await buyer.ask("basket.place", {"legs": [leg], "dry_run": True}))["result"]
        assert (whole["code"], whole["legs"][0]["status"], whole["legs"][0]["average_price"]) == (0, "filled", "0.400067")
        refused = (await buyer.ask("basket.place", {"legs": [leg, other], "dry_run": True}))["result"]
        assert (refused["code"], refused["leg"]) == (RejectCode.FILL_OR_KILL_UNFILLABLE, 1)
        assert [entry["code"] for entry in refused["legs"]] == [RejectCode.BASKET_REFUSED, RejectCode.FILL_OR_KILL_UNFILLABLE]
        malformed = (await buyer.ask("order.place", terms | {"price": "x"}))["error"]
        assert malformed["data"] == {"code": RejectCode.INVALID_DECIMAL}
        assert (canonical.state_hash(park.node.exchange), park.node.exchange.last_sequence) == (state, sequence)
        # Nothing was used up: the same id is a new order.
        placed = (await buyer.ask("order.place", terms | {"dry_run": False}))["result"]
        assert (placed["filled"], placed["remaining"], placed["average_price"]) == ("3.0", "2.0", "0.400067")
        again = (await buyer.ask("order.place", terms | {"dry_run": True}))["result"]
        assert (again["duplicate"], again["code"]) == (True, 0)
