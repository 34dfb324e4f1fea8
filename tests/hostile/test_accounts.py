"""One member's reach for what is another's: refused in the same words as what does not exist, and nothing is changed or shown."""

import itertools
from typing import Any

import pytest

from tests.exchange.gateway.parks import FACTORY, POWER, SOLAR, UNITS
from tests.hostile.gateways import Peer, Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOWHERE = 2**62
UNKNOWN_ORDER = 3006
_numbers = itertools.count(1)


def key() -> str:
    """A client order id that was not used before."""
    return f"k{next(_numbers)}"


async def resting_order(owner: Peer) -> int:
    params = {"client_order_id": key(), "instrument": POWER, "side": "sell", "price": "0.8000", "quantity": "1.0", "label": 7}
    return int((await owner.ask("order.place", params))["result"]["order_id"])


def same_but_for_place(answers: list[dict[str, Any]]) -> None:
    """All refusals say the same; only their place in the journal differs."""
    errors = [answer["error"] for answer in answers]
    for error in errors:
        error.get("data", {}).pop("sequence", None)
    assert all(error == errors[0] for error in errors), errors


ATTEMPTS: list[tuple[str, str, dict[str, Any]]] = [
    ("cancel", "order.cancel", {}),
    ("amend", "order.amend", {"instrument": POWER, "revision": 1, "quantity": "0.5"}),
    ("amend with a wrong revision", "order.amend", {"instrument": POWER, "revision": 9, "price": "0.9000"}),
]


@pytest.mark.parametrize(("method", "params"), [row[1:] for row in ATTEMPTS], ids=[row[0] for row in ATTEMPTS])
async def test_another_s_order_is_an_unknown_order(shared: Served, method: str, params: dict[str, Any]) -> None:
    park, host = shared
    async with Peer.open(host) as owner, Peer.open(host) as thief:
        await owner.log_on("solar")
        await thief.log_on("factory")
        order_id = await resting_order(owner)
        before = park.node.exchange.open_orders(SOLAR)
        answers = [await thief.ask(method, params | {"client_order_id": key(), "order_id": target}) for target in (order_id, NOWHERE, 1)]
        assert answers[0]["error"]["code"] == UNKNOWN_ORDER
        same_but_for_place(answers)
        assert park.node.exchange.open_orders(SOLAR) == before


async def test_ids_around_one_s_own_are_unknown_too(shared: Served) -> None:
    """Order ids are dense, so neighbours are easy to guess; guessing finds nothing out."""
    park, host = shared
    async with Peer.open(host) as owner, Peer.open(host) as thief:
        await owner.log_on("solar")
        await thief.log_on("factory")
        last = await resting_order(owner)
        before = park.node.exchange.open_orders(SOLAR)
        guesses = range(max(1, last - 20), last + 20)
        answers = [await thief.ask("order.cancel", {"client_order_id": key(), "order_id": order_id}) for order_id in guesses]
        assert {answer["error"]["code"] for answer in answers} == {UNKNOWN_ORDER}
        same_but_for_place(answers)
        assert park.node.exchange.open_orders(SOLAR) == before


@pytest.mark.parametrize("which", [{}, {"label": 7}, {"instrument": POWER}, {"side": "sell"}])
async def test_mass_cancel_reaches_one_s_own_orders_only(shared: Served, which: dict[str, Any]) -> None:
    park, host = shared
    async with Peer.open(host) as owner, Peer.open(host) as thief:
        await owner.log_on("solar")
        await thief.log_on("factory")
        await resting_order(owner)
        before = park.node.exchange.open_orders(SOLAR)
        answer = await thief.ask("order.mass_cancel", {"client_order_id": key()} | which)
        assert answer["result"].get("cancelled_orders", 0) == 0
        assert park.node.exchange.open_orders(SOLAR) == before


ACCOUNT_IN_PARAMS = [
    ("order.place", {"client_order_id": "a1", "instrument": POWER, "side": "buy", "price": "0.1", "quantity": "1.0"}),
    ("order.cancel", {"client_order_id": "a2", "order_id": 1}),
    ("order.mass_cancel", {"client_order_id": "a3"}),
    ("basket.place", {"legs": []}),
    ("orders.open", {}),
    ("balances", {}),
    ("positions", {}),
    ("statement", {"day": "2026-07-15"}),
    ("nominate", {"instrument": POWER, "injection": "1.0"}),
    ("subscribe", {"channels": ["executions"]}),
    ("block.proposals", {}),
    ("one_way.bids", {}),
]


@pytest.mark.parametrize(("method", "params"), ACCOUNT_IN_PARAMS, ids=[row[0] for row in ACCOUNT_IN_PARAMS])
@pytest.mark.parametrize("name", ["account", "session", "key_id", "owner"])
async def test_nobody_names_an_account_in_params(shared: Served, method: str, params: dict[str, Any], name: str) -> None:
    async with Peer.open(shared[1]) as thief:
        await thief.log_on("factory")
        assert await thief.code(method, params | {name: SOLAR}) == 1011


async def test_questions_answer_of_one_s_own_account(shared: Served) -> None:
    park, host = shared
    async with Peer.open(host) as owner, Peer.open(host) as thief:
        await owner.log_on("solar")
        await thief.log_on("factory")
        order_id = await resting_order(owner)
        assert order_id in [order["order_id"] for order in (await owner.ask("orders.open"))["result"]["orders"]]
        assert order_id not in [order["order_id"] for order in (await thief.ask("orders.open"))["result"]["orders"]]
        balances = (await thief.ask("balances"))["result"]
        assert balances["balance_micro"] == park.node.exchange.balances(FACTORY).balance_micro
        symbols = [position["instrument"] for position in (await thief.ask("positions"))["result"]["positions"]]
        assert symbols == [position.symbol for position in park.node.exchange.positions(FACTORY)] == [UNITS]


async def test_private_executions_reach_their_account_only(shared: Served) -> None:
    host = shared[1]
    async with Peer.open(host) as owner, Peer.open(host) as thief, Peer.open(host) as stranger:
        await owner.log_on("solar")
        await thief.log_on("factory")
        assert "result" in await owner.ask("subscribe", {"channels": ["executions"]})
        assert "result" in await thief.ask("subscribe", {"channels": ["executions"], "from_seq": 10**9})
        assert await stranger.code("subscribe", {"channels": ["executions"]}) == 5001
        assert await thief.heard_before("system.status") == []
        order_id = await resting_order(owner)
        assert (await owner.ask("order.cancel", {"client_order_id": key(), "order_id": order_id}, 5))["result"]["status"] == "cancelled"
        assert await thief.heard_before("system.status") == []
        assert await stranger.heard_before("system.status") == []


async def test_the_idempotency_key_of_another_is_one_s_own(shared: Served) -> None:
    """Keys belong to accounts: the same text by another member is a new command, and shows nothing of the first."""
    host = shared[1]
    params = {"client_order_id": key(), "instrument": POWER, "side": "sell", "price": "0.8000", "quantity": "1.0"}
    async with Peer.open(host) as owner, Peer.open(host) as thief:
        await owner.log_on("solar")
        await thief.log_on("factory")
        first = (await owner.ask("order.place", params))["result"]
        again = await thief.ask("order.place", params | {"side": "buy", "price": "0.2000"})
        assert again["result"]["order_id"] != first["order_id"]
        assert "duplicate" not in again["result"]


async def test_a_basket_cannot_hold_another_s_or_one_s_own_order_twice(shared: Served) -> None:
    host = shared[1]
    leg = {"client_order_id": key(), "instrument": POWER, "side": "buy", "price": "0.2000", "quantity": "1.0"}
    async with Peer.open(host) as thief:
        await thief.log_on("factory")
        assert await thief.code("basket.place", {"legs": [leg, leg | {"client_order_id": key()}]}) == 2025
        assert await thief.code("basket.place", {"legs": [leg | {"order_id": 1}]}) == 1011
        assert await thief.code("basket.place", {"legs": [leg | {"account": SOLAR}]}) == 1011


async def test_what_only_the_operator_may_do(shared: Served) -> None:
    park, host = shared
    sequence = park.node.exchange.last_sequence
    async with Peer.open(host) as thief:
        await thief.log_on("factory")
        own = park.node.exchange.last_sequence
        for method, params in (
            ("operator.submit", {"schema": "deposit", "document": {"account": FACTORY, "amount_micro": 10**12, "reference": "gift"}}),
            ("clock.run", {}),
            ("clock.pause", {}),
            ("settlement.report", {"day": "2026-07-15"}),
        ):
            assert await thief.code(method, params) == 5006
        assert park.node.exchange.last_sequence == own > sequence
