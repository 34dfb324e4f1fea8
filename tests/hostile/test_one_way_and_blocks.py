"""Proposals of block trades and sealed bids: what is another's is refused in the same words as what does not exist."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from clients.sdk.credentials import public_key_of
from exchange.gateway.limits import Limits
from exchange.protocol.documents import Admit, Deposit, IssueUnits, Key, ListInstruments, OpenOneWayAuction
from exchange.units import MICRO_PER_CNY
from tests.exchange.gateway.parks import FACTORY, SOLAR, RunningPark, private_key
from tests.exchange.order_path.national import allowance, at
from tests.hostile.gateways import Peer, gateway
from tests.hostile.test_accounts import same_but_for_place

ALLOWANCE = "CEA24"
NOWHERE = 987_654
BLOCK = {"client_id": "b1", "instrument": ALLOWANCE, "side": "sell", "counterparty": SOLAR, "price": "63.00", "quantity": "100000"}


async def prepare(park: RunningPark) -> int:
    """Allowances that trade in blocks, a third member who has nothing to do with them, and an open auction; its id."""
    await park.document(ListInstruments(instruments=[allowance(ALLOWANCE)]))
    await park.document(IssueUnits(account=FACTORY, symbol=ALLOWANCE, quantity_lots=200_000, reference="opening"))
    for account in (SOLAR, FACTORY):
        await park.document(Deposit(account=account, amount_micro=10_000_000 * MICRO_PER_CNY, reference="opening"))
    key = Key(key_id="mole", public_key=public_key_of(private_key("mole")), scopes=["read", "trade"])
    admitted = await park.document(Admit(name="mole", role="enterprise", permissions=["cea_buy", "cea_sell"], keys=[key]))
    assert admitted.result is not None
    await park.document(Deposit(account=admitted.result["account"], amount_micro=10_000_000 * MICRO_PER_CNY, reference="opening"))
    opened = await park.document(
        OpenOneWayAuction(
            symbol=ALLOWANCE, applicant=FACTORY, side="sell", quantity_lots=1_000, reserve_price_ticks=5_900, tie="pro_rata", opens_ns=at("13:25"),
            closes_ns=at("14:00"), reference="auction",
        )
    )  # fmt: skip
    assert opened.result is not None
    park.clock.advance_to(at("13:30"))
    return int(opened.result["auction"])


@asynccontextmanager
async def members(backend: str) -> AsyncIterator[tuple[int, dict[str, Peer]]]:
    """An auction and the sessions of all three."""
    async with gateway(backend, Limits(flush_interval_s=0.002)) as (park, host), AsyncExitStack() as stack:
        auction = await prepare(park)
        peers = {name: await stack.enter_async_context(Peer.open(host)) for name in ("factory", "solar", "mole")}
        for name, peer in peers.items():
            assert "result" in await peer.log_on(name)
        yield auction, peers


async def test_a_proposal_of_others_is_an_unknown_proposal(backend: str) -> None:
    async with members(backend) as (_, peers):
        proposal = (await peers["factory"].ask("block.propose", BLOCK))["result"]["result"]["proposal"]
        for method in ("block.confirm", "block.decline", "block.withdraw"):
            answers = [await peers["mole"].ask(method, {"proposal": target}) for target in (proposal, NOWHERE, proposal + 1)]
            assert answers[0]["error"]["data"]["rule"] == "unknown_proposal"
            same_but_for_place(answers)
        assert (await peers["mole"].ask("block.proposals"))["result"]["proposals"] == []
        # Nor may the proposer confirm for the other side, or the other side withdraw.
        assert await peers["factory"].code("block.confirm", {"proposal": proposal}) == 3016
        assert await peers["solar"].code("block.withdraw", {"proposal": proposal}) == 3016
        assert (await peers["solar"].ask("block.confirm", {"proposal": proposal}))["result"]["result"]["status"] == "traded"


async def test_a_proposal_is_told_to_its_two_sides_only(backend: str) -> None:
    async with members(backend) as (_, peers):
        assert "result" in await peers["mole"].ask("subscribe", {"channels": ["blocks"]})
        assert "result" in await peers["factory"].ask("block.propose", BLOCK)
        # The next thing that the outsider hears is the answer to the question behind it.
        assert await peers["mole"].heard_before("system.status") == []


async def test_a_sealed_bid_of_another_is_an_unknown_bid(backend: str) -> None:
    async with members(backend) as (auction, peers):
        bid = {"auction": auction, "client_id": "s1", "price": "60.00", "quantity": "10"}
        assert "result" in await peers["solar"].ask("one_way.bid", bid)
        amend = bid | {"revision": 1, "price": "61.00"}
        attempts: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
            ("one_way.amend", amend, amend | {"client_id": "nobody"}),
            ("one_way.withdraw", {"auction": auction, "client_id": "s1"}, {"auction": auction, "client_id": "nobody"}),
        ]
        for method, of_another, of_nobody in attempts:
            answers = [await peers["mole"].ask(method, params) for params in (of_another, of_nobody)]
            assert answers[0]["error"]["data"]["rule"] == "unknown_bid"
            same_but_for_place(answers)
        assert (await peers["mole"].ask("one_way.bids"))["result"]["bids"] == []
        assert [row["price"] for row in (await peers["solar"].ask("one_way.bids"))["result"]["bids"]] == ["60.00"]
        # The same id is free for everybody else, and the public list shows no bid.
        assert "result" in await peers["mole"].ask("one_way.bid", bid | {"price": "59.50"})
        assert "60.00" not in str((await peers["mole"].ask("one_way.auctions"))["result"])


@pytest.mark.parametrize("method", ["one_way.bid", "one_way.amend", "one_way.withdraw"])
async def test_an_auction_that_does_not_exist(backend: str, method: str) -> None:
    async with members(backend) as (_, peers):
        params: dict[str, Any] = {"auction": NOWHERE, "client_id": "x"}
        if method != "one_way.withdraw":
            params |= {"price": "60.00", "quantity": "1"}
        if method == "one_way.amend":
            params |= {"revision": 1}
        answers = [await peers[name].ask(method, params) for name in ("solar", "mole")]
        assert answers[0]["error"]["data"]["rule"] == "unknown_auction"
        same_but_for_place(answers)
