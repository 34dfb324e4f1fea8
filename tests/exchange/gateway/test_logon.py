"""Logon: one row for every way it can be wrong, and what a session may do."""

from pathlib import Path
from typing import Any

import pytest

from exchange.gateway import auth
from exchange.gateway.access import SCOPES
from exchange.gateway.limits import Limits
from exchange.gateway.security_log import SecurityLog, read_log
from exchange.journal.record import CommandFlag, CommandKind
from exchange.protocol import messages as m
from exchange.protocol.documents import RevokeKey
from exchange.protocol.reject_codes import RejectCode
from tests.exchange.gateway.parks import FACTORY, POWER, RunningPark, logon_params, private_key, request, running_park

SECOND_NS = 1_000_000_000
WRONG = [
    ("unknown key", RejectCode.LOGON_SIGNATURE, {"key_id": "nobody"}),
    ("another's signature", RejectCode.LOGON_SIGNATURE, {"signer": "solar"}),
    ("signature over another nonce", RejectCode.LOGON_SIGNATURE, {"nonce": "00" * 16}),
    ("signature over another epoch", RejectCode.LOGON_SIGNATURE, {"epoch": 2}),
    ("signature for another host", RejectCode.LOGON_SIGNATURE, {"host": "evil.example"}),
    ("signature is not base64", RejectCode.LOGON_SIGNATURE, {"signature": "%%%"}),
    ("signature is short", RejectCode.LOGON_SIGNATURE, {"signature": "AAAA"}),
    ("signature is not ASCII", RejectCode.LOGON_SIGNATURE, {"signature": "签名"}),
]


@pytest.mark.parametrize(("code", "changes"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
async def test_refused(code: RejectCode, changes: dict[str, Any]) -> None:
    async with running_park() as park:
        client = park.raw()
        assert (await client.log_on("factory", **changes))["error"]["data"]["code"] == code
        # The connection lives, and the right logon still works.
        assert (await client.log_on("factory"))["result"]["account"] == FACTORY


@pytest.mark.parametrize("offset_ns", [-31 * SECOND_NS, 31 * SECOND_NS, -(10**30)])
async def test_stale_or_early_timestamp(offset_ns: int) -> None:
    async with running_park() as park:
        client = park.raw()
        stamp = client.challenge["server_time_ns"] + offset_ns
        assert (await client.log_on("factory", timestamp_ns=stamp))["error"]["data"]["code"] == RejectCode.LOGON_STALE


STRANGERS: list[dict[str, Any]] = [{}, {"signature": "%%%"}, {"timestamp_ns": 1}]


@pytest.mark.parametrize("changes", STRANGERS, ids=["wrong signature", "none", "stale"])
async def test_a_stranger_does_not_find_out_which_keys_there_are(changes: dict[str, Any], tmp_path: Path) -> None:
    """Whether a key is there, is not, or was revoked: the same answers, the same end. Who runs the exchange is told the difference."""
    async with running_park() as park:
        log = park.hub._security_log = SecurityLog(tmp_path)
        operator = park.raw()
        await operator.log_on("operator")
        await operator.ask("operator.submit", {"schema": "revoke_key", "document": {"key_id": "solar"}})
        heard = []
        for key_id in ("factory", "solar", "nobody"):
            client = park.raw()
            answers = [await client.log_on(key_id, signer="attacker", **changes) for _ in range(3)]
            heard.append((answers, client.connection.end_code))
            park.hub.guard.succeeded("", "")
        assert heard[0] == heard[1] == heard[2]
        log.close()
        park.hub._security_log = None
        noted = [(line["key_id"], line["code"]) for line in read_log(tmp_path) if line["event"] == "logon_refused"]
        is_stale = "timestamp_ns" in changes
        expected = {"factory": RejectCode.LOGON_SIGNATURE, "solar": RejectCode.LOGON_SIGNATURE, "nobody": RejectCode.UNKNOWN_KEY}
        assert noted == [(key_id, RejectCode.LOGON_STALE if is_stale else code) for key_id, code in expected.items() for _ in range(3)]


async def test_a_key_that_is_not_there_takes_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verification is what costs time: there is one for every refusal."""
    verified: list[bytes] = []
    monkeypatch.setattr(auth, "is_signed", lambda public_key, *_: bool(verified.append(public_key)))
    async with running_park() as park:
        for key_id in ("factory", "nobody"):
            await park.raw().log_on(key_id)
    assert [len(public_key) for public_key in verified] == [32, 32]


async def test_a_recorded_logon_is_worth_nothing_on_another_connection() -> None:
    async with running_park() as park:
        first, second = park.raw(), park.raw()
        recorded = logon_params(first, "factory")
        assert "result" in await first.ask("logon", recorded)
        assert (await second.ask("logon", recorded))["error"]["data"]["code"] == RejectCode.LOGON_SIGNATURE
        # Nor once more on its own: the session is there already.
        assert (await first.ask("logon", recorded))["error"]["data"]["code"] == RejectCode.ALREADY_LOGGED_ON


async def test_logon_while_one_is_on_its_way() -> None:
    async with running_park() as park:
        client = park.raw()
        params = logon_params(client, "factory")
        client.send(request("logon", params, 1), request("logon", params, 2), request("balances", None, 3))
        assert (await client.answer(2))["error"]["data"]["code"] == RejectCode.ALREADY_LOGGED_ON
        client = park.raw()
        client.send(request("logon", logon_params(client, "factory"), 1), request("balances", None, 2))
        assert (await client.answer(2))["error"]["data"]["code"] == RejectCode.NOT_LOGGED_ON


async def test_three_failures_end_the_connection() -> None:
    async with running_park() as park:
        client = park.raw()
        for failures in range(3):
            assert client.connection.end_code is None, failures
            await client.log_on("factory", signer="solar")
        assert client.connection.end_code is RejectCode.LOGON_SIGNATURE


async def test_every_method_but_public_data_needs_a_logon() -> None:
    async with running_park() as park:
        client = park.raw()
        for kind, (method, params) in zip(EXAMPLES, EXAMPLES.values(), strict=True):
            answer = await client.ask(method, params)
            if SCOPES[kind]:
                assert answer["error"]["data"]["code"] == RejectCode.NOT_LOGGED_ON, method
        assert (await client.ask("subscribe", {"channels": ["executions"]}))["error"]["data"]["code"] == RejectCode.NOT_LOGGED_ON
        assert (await client.ask("subscribe", {"channels": ["clock"], "turns": True}))["error"]["data"]["code"] == RejectCode.NOT_LOGGED_ON
        assert "result" in await client.ask("instruments")


async def test_public_data_can_be_closed_to_strangers() -> None:
    async with running_park(Limits(anonymous_market_data=False)) as park:
        client = park.raw()
        for method, params in (("instruments", {}), ("subscribe", {"channels": ["ticker"]}), ("system.status", None)):
            assert (await client.ask(method, params))["error"]["data"]["code"] == RejectCode.NOT_LOGGED_ON
        await client.log_on("factory")
        assert "result" in await client.ask("instruments")


async def test_a_key_without_the_scope() -> None:
    async with running_park() as park:
        member, operator = park.raw(), park.raw()
        await member.log_on("factory")
        await operator.log_on("operator")
        for kind, (method, params) in zip(EXAMPLES, EXAMPLES.values(), strict=True):
            if SCOPES[kind] & {"operate", "audit"} and not SCOPES[kind] & {"read", "trade"}:
                refusal = await member.ask(method, params)
                assert (refusal["error"]["data"]["code"], refusal["error"]["data"]["scopes"]) == (RejectCode.SCOPE_MISSING, sorted(SCOPES[kind]))
            if SCOPES[kind] == {"trade"}:
                assert (await operator.ask(method, params))["error"]["data"]["code"] == RejectCode.SCOPE_MISSING


async def test_the_account_is_the_sessions() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        refusal = await client.ask("order.place", EXAMPLES[m.Place][1] | {"account": 34})
        assert refusal["error"]["data"]["code"] == RejectCode.INVALID_PARAMS
        assert (await client.ask("order.place", EXAMPLES[m.Place][1]))["result"]["status"] == "resting"
        assert len(park.node.exchange.open_orders(FACTORY)) == 1


def journaled(park: RunningPark, kind: CommandKind) -> list[tuple[int, int, int]]:
    rows = [row for batch in park.published for row in batch.records if row["kind"] == kind]
    return [(int(row["account"]), int(row["session"]), int(row["flags"])) for row in rows]


@pytest.mark.parametrize("cancel", [True, False])
async def test_sessions_are_journaled_and_cancel_on_disconnect_works(cancel: bool) -> None:
    flag = int(CommandFlag.CANCEL_ON_DISCONNECT) if cancel else 0
    async with running_park() as park:
        client = park.raw()
        session = (await client.log_on("factory", cancel_on_disconnect=cancel))["result"]["session"]
        await client.ask("order.place", EXAMPLES[m.Place][1])
        client.connection.disconnected()
        await park.hub.close()
        assert journaled(park, CommandKind.SESSION_OPENED) == journaled(park, CommandKind.SESSION_CLOSED) == [(FACTORY, session, flag)]
        assert len(park.node.exchange.open_orders(FACTORY)) == (0 if cancel else 1)
        assert not park.hub.connections


async def test_a_connection_that_goes_during_its_logon_leaves_no_session_open() -> None:
    async with running_park() as park:
        client = park.raw()
        client.send(request("logon", logon_params(client, "factory")))
        client.connection.disconnected()
        for _ in range(100):
            if journaled(park, CommandKind.SESSION_CLOSED):
                break
            await park.document(RevokeKey(key_id="solar")) if _ == 0 else await park.hub.close()
        assert len(journaled(park, CommandKind.SESSION_OPENED)) == len(journaled(park, CommandKind.SESSION_CLOSED)) == 1


def test_keys_of_the_tests_are_fixed() -> None:
    assert private_key("factory").private_bytes_raw() == private_key("factory").private_bytes_raw()


ORDER = {"client_order_id": "c-1", "instrument": POWER, "side": "buy", "price": "0.4000", "quantity": "1.0"}
EXAMPLES: dict[type[m.Request], tuple[str, Any]] = {
    m.Place: ("order.place", ORDER),
    m.PlaceBasket: ("basket.place", {"legs": [ORDER | {"client_order_id": "c-5"}]}),
    m.Amend: ("order.amend", {"client_order_id": "c-2", "instrument": POWER, "order_id": 1, "revision": 1, "price": "0.3000"}),
    m.Cancel: ("order.cancel", {"client_order_id": "c-3", "order_id": 1}),
    m.MassCancel: ("order.mass_cancel", {"client_order_id": "c-4"}),
    m.CancelAfter: ("session.cancel_after", {"timeout_ms": 5_000}),
    m.QueuePosition: ("order.queue_position", {"order_id": 1}),
    m.Executions: ("executions", {"from_seq": 1}),
    m.Depth: ("depth", {"instrument": POWER}),
    m.Bars: ("bars", {"instrument": POWER, "interval": "1m"}),
    m.OrdersOpen: ("orders.open", {}),
    m.Balances: ("balances", None),
    m.Positions: ("positions", {}),
    m.Instruments: ("instruments", {}),
    m.Auctions: ("auctions", {}),
    m.Statement: ("statement", {"day": "2026-07-15"}),
    m.Nominate: ("nominate", {"instrument": POWER, "injection": "-1.0"}),
    m.OperatorSubmit: ("operator.submit", {"schema": "revoke_key", "document": {"key_id": "x"}}),
    m.DocumentSubmit: ("document.submit", {"schema": "revoke_key", "document": {"key_id": "x"}}),
    m.SettlementReport: ("settlement.report", {"day": "2026-07-15"}),
    m.SystemStatus: ("system.status", None),
    m.Subscribe: ("subscribe", {"channels": ["ticker"]}),
    m.Unsubscribe: ("unsubscribe", {"channels": ["ticker"]}),
    m.TurnDone: ("turn.done", {"turn": 1}),
    m.ClockRun: ("clock.run", {}),
    m.ClockPause: ("clock.pause", None),
    m.BlockPropose: (
        "block.propose",
        {"client_id": "b", "instrument": "CEA25", "side": "sell", "counterparty": 34, "price": "62.00", "quantity": "100000"},
    ),
    m.BlockConfirm: ("block.confirm", {"proposal": 1}),
    m.BlockDecline: ("block.decline", {"proposal": 1}),
    m.BlockWithdraw: ("block.withdraw", {"proposal": 1}),
    m.BlockProposals: ("block.proposals", None),
    m.OneWayBid: ("one_way.bid", {"auction": 1, "client_id": "b", "price": "62.00", "quantity": "1"}),
    m.OneWayAmend: ("one_way.amend", {"auction": 1, "client_id": "b", "revision": 1, "price": "62.00", "quantity": "1"}),
    m.OneWayWithdraw: ("one_way.withdraw", {"auction": 1, "client_id": "b"}),
    m.OneWayBids: ("one_way.bids", None),
    m.OneWayAuctions: ("one_way.auctions", None),
    m.OperatorPropose: ("operator.propose", {"schema": "revoke_key", "document": {"key_id": "x"}, "reason": "test"}),
    m.OperatorProposals: ("operator.proposals", None),
    m.KeysList: ("keys.list", {}),
    m.AuditLog: ("audit.log", {}),
    m.Alerts: ("surveillance.alerts", {}),
}


def test_there_is_an_example_of_every_method() -> None:
    assert {*EXAMPLES, m.Logon} == {*SCOPES} == {*m.REQUESTS.values()}
