"""Block trades and one-way auctions on the wire: methods, private and public channels, and bids that nobody but their bidder can read."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from clients.sdk import connect
from clients.sdk.client import ParkClient
from clients.sdk.errors import RequestRefused
from exchange.journal.format import encode_genesis, genesis_hash
from exchange.order_path.path import Exchange
from exchange.protocol.documents import Deposit, IssueUnits, ListInstruments, OpenOneWayAuction
from exchange.protocol.reject_codes import RejectCode
from exchange.readmodel import tables
from exchange.readmodel.projector import Projector
from exchange.replay import replay_into
from exchange.units import MICRO_PER_CNY, NS_PER_HOUR
from tests.exchange.gateway.parks import FACTORY, OPERATOR, SOLAR, RawClient, RunningPark, genesis, private_key, running_park
from tests.exchange.order_path.national import allowance, at

ALLOWANCE = "CEA24"
CREDITS = "PCC-2026"
BLOCK = {"client_id": "b1", "instrument": ALLOWANCE, "side": "sell", "counterparty": SOLAR, "price": "63.00", "quantity": "100000"}


@asynccontextmanager
async def market() -> AsyncIterator[RunningPark]:
    """The park at 13:30 with allowances that trade in blocks. The factory owns 200,000 t, solar has the cash."""
    async with running_park() as park:
        await park.document(ListInstruments(instruments=[allowance(ALLOWANCE)]))
        await park.document(IssueUnits(account=FACTORY, symbol=ALLOWANCE, quantity_lots=200_000, reference="opening"))
        await park.document(Deposit(account=SOLAR, amount_micro=10_000_000 * MICRO_PER_CNY, reference="opening"))
        park.clock.advance_to(at("13:30"))
        yield park


def client(park: RunningPark, name: str) -> Any:
    return connect(park.connector, key_id=name, private_key=private_key(name))


async def told(messages: list[Any]) -> Any:
    """The next message, when it is there."""
    for _ in range(2_000):
        if messages:
            return messages.pop(0)
        await asyncio.sleep(0.002)
    raise AssertionError("nothing was told")


async def test_a_block_trade_from_proposal_to_tape() -> None:
    async with market() as park, client(park, "factory") as factory, client(park, "solar") as solar:
        asked: list[Any] = []
        executions: dict[str, list[Any]] = {"factory": [], "solar": []}
        tape: list[Any] = []
        for name, side in (("factory", factory), ("solar", solar)):
            side.on("execution", executions[name].append)
        solar.on("block", asked.append)
        solar.on("trade", tape.append)
        await solar.blocks.subscribe()
        await solar.subscribe_trades(ALLOWANCE)
        proposal = await factory.blocks.propose(ALLOWANCE, "sell", counterparty=SOLAR, price="63.00", quantity="100000", client_id="b1")
        notified = await told(asked)
        assert (notified.proposal, notified.status, notified.client_id) == (proposal, "open", "")  # the id is its proposer's own
        assert (notified.price, notified.quantity) == ("63.00", "100000")
        assert notified.expires_at_ns == at("15:00")
        assert (await factory.positions(ALLOWANCE))[0].open_sell == "100000"
        assert (await solar.blocks.confirm(proposal)).status == "traded"
        assert (await told(asked)).status == "traded"
        sold, bought = await told(executions["factory"]), await told(executions["solar"])
        assert (sold.kind, sold.side, sold.quantity, sold.price, sold.client_order_id, sold.liquidity) == (
            "block_trade", "sell", "100000", "63.00", "b1", "maker")  # fmt: skip
        assert (bought.kind, bought.side, bought.order_id, bought.liquidity) == ("block_trade", "buy", 0, "taker")
        (trade,) = (await told(tape)).trades
        assert (trade.mode, trade.price, trade.quantity, trade.side) == ("block", "63.00", "100000", "buy")
        assert [p.client_id for p in await factory.blocks.proposals()] == ["b1"]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(park.app), base_url="http://test-host") as rest:
            (row,) = (await rest.get("/v1/trades")).json()["trades"]
            assert (row["mode"], row["instrument"]) == ("block", ALLOWANCE)
            listed = (await rest.get("/v1/instruments", params={"class": "cea"})).json()["instruments"]
        terms = {i["symbol"]: (i["previous_close"], i["band_low"], i["band_high"], i["block_low"], i["block_high"], i["min_block"]) for i in listed}
        assert terms[ALLOWANCE] == ("62.00", "55.80", "68.20", "43.40", "80.60", "100000")
        assert terms["CEA25"][0] == ""


async def test_a_decline_and_a_withdrawal() -> None:
    async with market() as park, client(park, "factory") as factory, client(park, "solar") as solar:
        first, second = [
            await factory.blocks.propose(ALLOWANCE, "sell", counterparty=SOLAR, price="63.00", quantity="100000") for _ in range(2)
        ]
        assert (await solar.blocks.decline(first)).status == "declined"
        assert (await factory.blocks.withdraw(second)).status == "withdrawn"
        with pytest.raises(RequestRefused) as refused:
            await solar.blocks.confirm(second)
        assert (refused.value.code, refused.value.data["rule"]) == (RejectCode.BUSINESS_RULE, "proposal_has_ended")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"instrument": "CEA99"}, RejectCode.UNKNOWN_INSTRUMENT),
        ({"price": "sixty"}, RejectCode.INVALID_DECIMAL),
        ({"price": "63.001"}, RejectCode.PRICE_OFF_TICK),
        ({"price": "9" * 30}, RejectCode.PRICE_OUT_OF_RANGE),
        ({"quantity": "100000.5"}, RejectCode.QUANTITY_OFF_LOT),
        ({"quantity": "9" * 30}, RejectCode.QUANTITY_OUT_OF_RANGE),
        ({"client_id": "two words"}, RejectCode.INVALID_CLIENT_ORDER_ID),
        ({"price": "80.61"}, RejectCode.PRICE_OUTSIDE_BAND),
        ({"quantity": "99999"}, RejectCode.BUSINESS_RULE),
        ({"side": "both"}, RejectCode.INVALID_PARAMS),
        ({"counterparty": 2**40}, RejectCode.INVALID_PARAMS),
    ],
)
async def test_refused_proposals(changes: dict[str, Any], code: RejectCode) -> None:
    async with market() as park:
        raw = park.raw()
        await raw.log_on("factory")
        assert (await raw.ask("block.propose", BLOCK | changes))["error"]["data"]["code"] == code


async def test_who_may_ask() -> None:
    async with market() as park:
        operator, stranger = park.raw(), park.raw()
        await operator.log_on("operator")
        assert (await operator.ask("block.propose", BLOCK))["error"]["data"]["code"] == RejectCode.SCOPE_MISSING
        assert (await operator.ask("one_way.bids"))["result"] == {"bids": []}
        assert (await stranger.ask("block.proposals"))["error"]["data"]["code"] == RejectCode.NOT_LOGGED_ON
        assert (await stranger.ask("subscribe", {"channels": ["blocks"]}))["error"]["data"]["code"] == RejectCode.NOT_LOGGED_ON
        assert (await stranger.ask("one_way.auctions"))["result"] == {"auctions": []}
        assert (await stranger.ask("unsubscribe", {"channels": ["one_way"]}))["result"] == {"channels": ["one_way"]}


async def test_the_close_of_a_day_is_told_to_those_who_follow_phases() -> None:
    async with market() as park, client(park, "factory") as factory:
        closes: list[Any] = []
        factory.on("close", closes.append)
        await factory.subscribe_phases()
        await factory.place(ALLOWANCE, "sell", price="63.00", quantity="10")
        park.clock.advance_to(at("15:00"))
        await park.document(Deposit(account=FACTORY, amount_micro=1, reference="a command that moves the time"))
        close = await told(closes)
        assert (close.instrument, close.close, close.volume, close.band_low, close.band_high) == (ALLOWANCE, "62.00", "0", "55.80", "68.20")
        assert close.at_ns == at("15:00")


def auction_of(park: RunningPark) -> OpenOneWayAuction:
    now_ns = park.clock.now_ns()
    return OpenOneWayAuction(
        reference="a-1", symbol=CREDITS, applicant=FACTORY, side="sell", quantity_lots=5_000, reserve_price_ticks=6_800, tie="pro_rata",
        opens_ns=now_ns, closes_ns=now_ns + NS_PER_HOUR,
    )  # fmt: skip


async def list_credits(park: RunningPark) -> None:
    await park.document(ListInstruments(instruments=[allowance(CREDITS, calendar="continuous", limit_ppm=0, previous_close_ticks=0, block_limit_ppm=0,
                                                               block_min_lots=0)]))  # fmt: skip
    await park.document(IssueUnits(account=FACTORY, symbol=CREDITS, quantity_lots=5_000, reference="opening"))


async def test_a_one_way_auction_from_notice_to_allotment() -> None:
    async with market() as park, client(park, "factory") as factory, client(park, "solar") as solar:
        await list_credits(park)
        notices: list[Any] = []
        tape: list[Any] = []
        factory.on("one_way", notices.append)
        factory.on("trade", tape.append)
        await factory.one_way.subscribe()
        await factory.subscribe_trades(CREDITS)
        await park.document(auction_of(park))
        opened = await told(notices)
        assert (opened.auction, opened.status, opened.quantity, opened.reserve_price, opened.tie, opened.price) == (
            1, "open", "5000", "68.00", "pro_rata", None)  # fmt: skip
        bid = await solar.one_way.bid(1, price="69.00", quantity="2000")
        assert await solar.one_way.amend(1, bid, revision=1, price="70.00", quantity="1500") == 2
        other = await solar.one_way.bid(1, price="71.00", quantity="10")
        await solar.one_way.withdraw(1, other)
        with pytest.raises(RequestRefused) as refused:
            await solar.one_way.bid(2, price="69.00", quantity="2000")
        assert refused.value.data["rule"] == "unknown_auction"
        with pytest.raises(RequestRefused) as refused:
            await solar.one_way.amend(1, bid, revision=2, price="70.001", quantity="1500")
        assert refused.value.code == RejectCode.PRICE_OFF_TICK
        park.clock.advance_to(park.clock.now_ns() + NS_PER_HOUR)
        await park.document(Deposit(account=FACTORY, amount_micro=1, reference="a command that moves the time"))
        ended = await told(notices)
        assert (ended.status, ended.price, ended.traded) == ("cleared", "70.00", "1500")
        (trade,) = (await told(tape)).trades
        assert (trade.mode, trade.price, trade.quantity) == ("one_way", "70.00", "1500")
        assert {(b.client_id, b.status, b.allotted) for b in await solar.one_way.bids()} == {(bid, "ended", "1500"), (other, "withdrawn", "0")}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(park.app), base_url="http://test-host") as rest:
            (row,) = (await rest.get("/v1/auctions")).json()["auctions"]
        assert (row["status"], row["price"], row["seed"]) == ("cleared", "70.00", "0")


async def everything_shown(park: RunningPark, viewer: RawClient) -> str:
    """All that a connection can get at: its frames so far, every method without an effect, and every REST route."""
    shown: list[Any] = viewer.take()
    for method, params in (
        ("orders.open", None), ("balances", None), ("positions", None), ("instruments", None), ("system.status", None), ("block.proposals", None),
        ("one_way.bids", None), ("one_way.auctions", None), ("statement", {"day": "2026-07-15"}), ("settlement.report", {"day": "2026-07-15"}),
    ):  # fmt: skip
        shown.append(await viewer.ask(method, params))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(park.app), base_url="http://test-host") as rest:
        for route in ("health", "instruments", "trades", "auctions", "summary", "energy"):
            answer = await rest.get(f"/v1/{route}")
            assert answer.status_code == 200
            shown.append(answer.text)
    return json.dumps(shown)


async def test_a_sealed_bid_is_nobody_elses_to_read(caplog: pytest.LogCaptureFixture) -> None:
    """Marks that appear nowhere else stand in a bid. Nothing that the operator or the applicant can see, no row of the read model and no line of a
    log holds one of them before the auction ends; afterwards the allotment is public, the limit never.
    """
    caplog.set_level(logging.DEBUG)
    marks = ("777.77", "77777", "3331", "sealed-mark")
    async with market() as park, client(park, "solar") as solar:
        await list_credits(park)
        await park.document(auction_of(park))
        viewers = {name: park.raw() for name in ("operator", "factory")}
        for name, viewer in viewers.items():
            await viewer.log_on(name)
            channels = ["one_way", "phases", "ticker", "trades:*", f"book:{CREDITS}"] + (["executions", "blocks"] if name == "factory" else [])
            await viewer.ask("subscribe", {"channels": channels})
        await solar.one_way.bid(1, price="777.77", quantity="3331", client_id="sealed-mark")
        assert (await solar.one_way.bids())[0].price == "777.77"
        deposit = {"schema": "deposit", "document": {"account": SOLAR, "amount_micro": 1, "reference": "probe"}}
        answered = await viewers["operator"].ask("operator.submit", deposit)
        balances = park.node.exchange.balances(SOLAR)
        assert answered["result"]["result"]["available_micro"] == balances.balance_micro
        assert balances.available_micro < balances.balance_micro
        await asyncio.sleep(0.02)  # the flush of public data
        for viewer in viewers.values():
            shown = await everything_shown(park, viewer)
            assert [mark for mark in marks if mark in shown] == []
        assert [mark for mark in marks if mark in read_model_of(park)] == []
        assert [mark for mark in marks if mark in caplog.text] == []
        park.clock.advance_to(park.clock.now_ns() + NS_PER_HOUR)
        await park.document(Deposit(account=FACTORY, amount_micro=1, reference="a command that moves the time"))
        shown = await everything_shown(park, viewers["operator"])
        assert '\\"traded\\":\\"3331\\"' in shown


def read_model_of(park: RunningPark) -> str:
    """Every row of every table, from the journal as it is."""
    exchange = Exchange(genesis())
    projector = Projector.open("sqlite://", genesis_hash(encode_genesis(genesis())).hex(), exchange.settlement)
    replay_into(exchange, park.node.journal, projector.apply)
    assert projector.last_sequence == park.node.exchange.last_sequence
    with projector.engine.connect() as connection:
        text = repr([[tuple(row) for row in connection.execute(select(table))] for table in tables.metadata.tables.values()])
    projector.close()
    return text


async def test_the_operator_submits_and_cancels_an_auction_by_document() -> None:
    async with market() as park, client(park, "operator") as operator:
        await list_credits(park)
        assert isinstance(operator, ParkClient)
        opened = await operator.submit(auction_of(park))
        assert opened == {"auction": 1, "status": "open"}
        raw = park.raw()
        await raw.log_on("operator")
        answer = await raw.ask("operator.submit", {"schema": "cancel_one_way_auction", "document": {"auction": 1, "reason": "test"}})
        assert answer["result"]["result"] == {"auction": 1, "status": "cancelled"}
        assert park.node.exchange.positions(FACTORY)[-1].open_sell_lots == 0
        assert park.node.exchange.account(OPERATOR) is not None
