"""Keys, four eyes, audit log and alerts over the wire and REST, and what a key that ends does to its sessions."""

import asyncio
import base64
import time
from typing import Any

import httpx
import pytest

from clients.sdk import ClientError, RequestRefused, connect
from clients.sdk.credentials import public_key_of
from exchange.gateway.app import create_app
from exchange.gateway.limits import Limits
from exchange.gateway.websocket import WebSocketEndpoint
from exchange.journal.record import CommandKind
from exchange.protocol.auth import request_message
from exchange.protocol.documents import Admit, CorrectLedger, Deposit, Key, RegisterKey
from exchange.protocol.reject_codes import RejectCode
from exchange.surveillance.desk import Surveillance
from exchange.surveillance.follower import SurveillanceFollower
from exchange.units import NS_PER_HOUR
from tests.exchange.gateway.parks import FACTORY, POWER, SOLAR, UNITS, RawClient, RunningPark, logon_params, private_key, request, running_park
from tests.exchange.gateway.test_logon import ORDER
from tests.exchange.order_path.park import OPERATOR

BOB = {"key_id": "bob", "public_key": base64.b64encode(public_key_of(private_key("bob"))).decode(), "scopes": ["read", "operate"], "person": "bob"}
RULES = {"mode": "four_eyes", "window_ns": NS_PER_HOUR}


async def act(client: RawClient, schema: str, **document: Any) -> dict[str, Any]:
    return await client.ask("operator.submit", {"schema": schema, "document": document})


async def operators(park: RunningPark) -> tuple[RawClient, RawClient]:
    """Ann and Bob, logged on. Ann has a key with her name, so that there are two persons."""
    first = park.raw()
    await first.log_on("operator")
    ann_key = BOB | {"key_id": "ann", "public_key": base64.b64encode(public_key_of(private_key("ann"))).decode(), "person": "ann"}
    for key in (ann_key, BOB):
        assert "result" in await act(first, "register_key", account=OPERATOR, key=key)
    ann, bob = park.raw(), park.raw()
    await ann.log_on("ann")
    await bob.log_on("bob")
    return ann, bob


async def test_revoking_a_key_ends_its_sessions_and_what_they_wanted_cancelled() -> None:
    async with running_park() as park:
        member, other, operator = park.raw(), park.raw(), park.raw()
        await member.log_on("factory", cancel_on_disconnect=True)
        await other.log_on("solar")
        await operator.log_on("operator")
        await member.ask("order.place", ORDER)
        assert len(park.node.exchange.open_orders(FACTORY)) == 1
        assert "result" in await act(operator, "revoke_key", key_id="factory", reason="lost")
        assert park.node.exchange.open_orders(FACTORY) == []
        assert member.connection.end_code is RejectCode.KEY_REVOKED
        assert other.connection.end_code is None
        assert (await park.raw().log_on("factory"))["error"]["code"] == RejectCode.KEY_REVOKED
        # Who does not hold it learns nothing of it.
        assert (await park.raw().log_on("factory", signer="solar"))["error"]["code"] == RejectCode.LOGON_SIGNATURE


async def test_other_scopes_end_sessions_and_the_next_one_has_them() -> None:
    async with running_park() as park:
        member, operator = park.raw(), park.raw()
        await member.log_on("factory")
        await operator.log_on("operator")
        await act(operator, "change_key", key_id="factory", scopes=["read"])
        assert member.connection.end_code is RejectCode.KEY_CHANGED
        again = park.raw()
        assert (await again.log_on("factory"))["result"]["scopes"] == ["read"]
        assert (await again.ask("order.place", ORDER))["error"]["code"] == RejectCode.SCOPE_MISSING


async def test_a_key_that_expires_ends_its_sessions() -> None:
    async with running_park() as park:
        member, operator = park.raw(), park.raw()
        await member.log_on("factory")
        await operator.log_on("operator")
        await act(operator, "change_key", key_id="factory", not_after_ns=park.clock.now_ns() + 1_000)
        assert member.connection.end_code is None
        park.clock.advance_to(park.clock.now_ns() + 2_000)
        await act(operator, "set_phase", symbol=UNITS, phase="halted", reason="anything that moves time")
        assert member.connection.end_code is RejectCode.KEY_EXPIRED
        assert (await park.raw().log_on("factory"))["error"]["code"] == RejectCode.KEY_EXPIRED


async def test_a_key_that_is_revoked_while_its_logon_is_journaled_opens_no_session() -> None:
    async with running_park() as park:
        member, operator = park.raw(), park.raw()
        await operator.log_on("operator")
        operator.send(request("operator.submit", {"schema": "revoke_key", "document": {"key_id": "factory"}}, "revoke"))
        member.send(request("logon", logon_params(member, "factory"), "logon"))
        assert "result" in await operator.answer("revoke")
        assert (await member.answer("logon"))["error"]["code"] == RejectCode.KEY_ENDED
        assert park.hub.guard.sizes()["sessions"] == 1


async def test_rotation_over_the_wire() -> None:
    async with running_park() as park:
        operator = park.raw()
        await operator.log_on("operator")
        new = base64.b64encode(public_key_of(private_key("factory-2"))).decode()
        until_ns = park.clock.now_ns() + 5_000
        answer = await act(operator, "rotate_key", key_id="factory", new_key_id="factory-2", new_public_key=new, old_until_ns=until_ns)
        assert answer["result"]["result"] == {"old_until_ns": until_ns}
        assert (await park.raw().log_on("factory"))["result"]["account"] == (await park.raw().log_on("factory-2"))["result"]["account"] == FACTORY
        park.clock.advance_to(until_ns)
        await act(operator, "set_phase", symbol=UNITS, phase="halted", reason="anything that moves time")
        assert (await park.raw().log_on("factory"))["error"]["code"] == RejectCode.KEY_EXPIRED


async def test_the_list_of_keys() -> None:
    async with running_park() as park:
        member, operator = park.raw(), park.raw()
        await member.log_on("factory")
        await operator.log_on("operator")
        await act(operator, "revoke_key", key_id="solar", reason="left")
        rows = {row["key_id"]: row for row in (await operator.ask("keys.list"))["result"]["keys"]}
        assert {key_id: row["status"] for key_id, row in rows.items()} == {"factory": "live", "operator": "live", "solar": "revoked"}
        assert (rows["factory"]["sessions"], rows["factory"]["last_used_ns"]) == (1, park.clock.now_ns())
        assert (rows["solar"]["ended_ns"], rows["solar"]["last_used_ns"]) == (park.clock.now_ns(), 0)
        for params in ({}, {"account": OPERATOR}):
            assert [row["key_id"] for row in (await member.ask("keys.list", params))["result"]["keys"]] == ["factory"]


async def test_four_eyes_over_the_wire() -> None:
    async with running_park() as park:
        ann, bob = await operators(park)
        await act(ann, "set_approval_rules", **RULES)
        await bob.ask("subscribe", {"channels": ["operator"]})
        deposit = {"account": FACTORY, "amount_micro": 5, "reference": "test"}
        refused = await act(ann, "deposit", **deposit)
        assert (refused["error"]["code"], refused["error"]["data"]["ground"]) == (RejectCode.APPROVAL_REQUIRED, "money")
        proposed = (await ann.ask("operator.propose", {"schema": "deposit", "document": deposit, "reason": "bank slip 7"}))["result"]["result"]
        told = [frame["params"] for frame in bob.take() if frame.get("method") == "proposal"]
        assert [(row["schema"], row["document"], row["person"], row["status"], row["digest"]) for row in told] == [
            ("deposit", deposit, "ann", "waiting", proposed["digest"])
        ]
        digest = base64.b64encode(bytes.fromhex(proposed["digest"])).decode()
        same = await act(ann, "approve_proposal", proposal=proposed["proposal"], digest=digest)
        assert same["error"]["code"] == RejectCode.SAME_PERSON
        before = park.node.exchange.balances(FACTORY).balance_micro
        assert "result" in await act(bob, "approve_proposal", proposal=proposed["proposal"], digest=digest)
        assert park.node.exchange.balances(FACTORY).balance_micro == before + 5
        listed = (await ann.ask("operator.proposals"))["result"]
        assert (listed["mode"], [row["status"] for row in listed["proposals"]]) == ("four_eyes", ["approved"])


@pytest.mark.parametrize(
    ("schema", "document", "code"),
    [
        ("nothing", {}, RejectCode.UNKNOWN_DOCUMENT),
        ("deposit", {"account": 1}, RejectCode.INVALID_DOCUMENT),
        ("deposit", {"account": 2**70, "amount_micro": 1, "reference": ""}, RejectCode.INVALID_DOCUMENT),
    ],
)
async def test_what_is_no_document_is_not_proposed(schema: str, document: Any, code: RejectCode) -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("operator")
        answer = await client.ask("operator.propose", {"schema": schema, "document": document, "reason": "x"})
        assert answer["error"]["code"] == code


async def test_the_operator_channel_is_for_overseers() -> None:
    async with running_park() as park:
        stranger, member = park.raw(), park.raw()
        await member.log_on("factory")
        assert (await stranger.ask("subscribe", {"channels": ["operator"]}))["error"]["code"] == RejectCode.NOT_LOGGED_ON
        assert (await member.ask("subscribe", {"channels": ["operator"]}))["error"]["code"] == RejectCode.SCOPE_MISSING


@pytest.mark.parametrize(("name", "account", "sign"), [("factory", FACTORY, -1), ("solar", SOLAR, 1)])
async def test_both_sides_of_a_correction_are_told_why(name: str, account: int, sign: int) -> None:
    async with running_park(Limits(flush_interval_s=60)) as park:
        member, other = park.raw(), park.raw()
        await member.log_on(name)
        await other.log_on({"factory": "solar", "solar": "factory"}[name])
        await member.ask("subscribe", {"channels": ["balances"]})
        await other.ask("subscribe", {"channels": ["positions"]})
        before = next(frame["params"] for frame in member.take() if frame.get("method") == "balances")
        other.take()
        correction = CorrectLedger(debit=FACTORY, credit=SOLAR, amount_micro=250_000, reason="fee charged twice", reference="case 7")
        answer = await park.document(correction)
        park.hub.publisher.flush()
        frames = {frame["method"]: frame["params"] for frame in member.take()}
        at_ns, sequence = int(answer.outcome["stamp_ns"]), int(answer.outcome["sequence"])
        texts = {"reason": "fee charged twice", "reference": "case 7"}
        assert frames["correction"] == {"sequence": sequence, "at_ns": at_ns, "amount_micro": sign * 250_000, **texts}
        assert frames["balances"]["balance_micro"] == before["balance_micro"] + sign * 250_000
        assert other.take() == []


async def test_sessions_name_their_keys_in_the_journal() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        client.connection.disconnected()
        await park.hub.close()
        key = park.node.exchange.key("factory")
        assert key is not None
        rows = [row for batch in park.published for row in batch.records if row["kind"] in {CommandKind.SESSION_OPENED, CommandKind.SESSION_CLOSED}]
        assert [int(row["order_id"]) for row in rows] == [key.number] * 2


# Limits


async def test_an_address_that_guesses_waits_and_others_do_not() -> None:
    async with running_park(Limits(max_logon_failures=100)) as park:
        guesser, honest = park.raw(), park.raw()
        guesser.connection.address, honest.connection.address = "203.0.113.9", "198.51.100.7"
        codes = [(await guesser.log_on("factory", signer="solar"))["error"]["code"] for _ in range(7)]
        assert codes == [RejectCode.LOGON_SIGNATURE] * 5 + [RejectCode.LOGON_LOCKED] * 2
        locked = await guesser.log_on("factory")
        assert (locked["error"]["code"], 0 < locked["error"]["data"]["retry_after_ms"] <= 1_001) == (RejectCode.LOGON_LOCKED, True)
        assert (await honest.log_on("factory"))["result"]["account"] == FACTORY


async def test_a_key_has_so_many_sessions() -> None:
    async with running_park(Limits(max_sessions_per_key=2)) as park:
        clients = [park.raw() for _ in range(3)]
        answers = [await client.log_on("factory") for client in clients]
        assert [answer.get("error", {}).get("code", 0) for answer in answers] == [0, 0, RejectCode.TOO_MANY_SESSIONS]
        clients[0].connection.disconnected()
        assert "result" in await clients[2].log_on("factory")


async def test_an_address_has_so_many_connections() -> None:
    async with running_park(Limits(max_connections_per_address=1)) as park:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        assert park.hub.guard.connect("203.0.113.9")
        scope = {"type": "websocket", "headers": [(b"host", b"test-host")], "client": ("203.0.113.9", 5)}
        await WebSocketEndpoint(park.hub)(scope, receive, send)
        assert sent[-1]["type"] == "websocket.close"
        assert sent[-1]["reason"].startswith(str(int(RejectCode.TOO_MANY_CONNECTIONS)))
        assert park.hub.guard.sizes()["connections"] == 1


# REST


def authorization(key_id: str, target: str, *, signer: str | None = None, host: str = "test", **changes: Any) -> str:
    stamp = changes.get("timestamp_ns", time.time_ns())
    message = request_message("GET", changes.get("signed", target), stamp, key_id, host)
    signature = base64.b64encode(private_key(signer or key_id).sign(message)).decode()
    return f"Parkex key={key_id}, timestamp={stamp}, signature={signature}"


async def get(park: RunningPark, target: str, header: str | None) -> httpx.Response:
    transport = httpx.ASGITransport(app=park.app, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(target, headers={} if header is None else {"authorization": header})


async def test_the_audit_log_over_rest() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("operator")
        for phase in ("halted", "resume", "halted"):
            await act(client, "set_phase", symbol=UNITS, phase=phase, reason="test")
        target = "/v1/audit?from_number=2&limit=1"
        body = (await get(park, target, authorization("operator", target))).json()
        assert (body["count"], body["as_of_seq"], len(body["entries"])) == (3, park.node.exchange.last_sequence, 1)
        entry = body["entries"][0]
        assert (entry["number"], entry["action"], entry["before"], entry["after"]) == (2, "set_phase", {"phase": "halted"}, {"phase": "continuous"})
        wire = (await client.ask("audit.log", {"limit": 2}))["result"]
        assert [row["number"] for row in wire["entries"]] == [2, 3]
        assert wire["head"] == body["head"] == wire["entries"][-1]["chain"]


@pytest.mark.parametrize("route", ["/v1/keys", "/v1/proposals", "/v1/alerts", "/v1/audit"])
async def test_every_route_of_the_overseers_answers(route: str) -> None:
    async with running_park() as park:
        answer = await get(park, route, authorization("operator", route))
        assert (answer.status_code, answer.json()["as_of_seq"]) == (200, park.node.exchange.last_sequence)
        assert (await get(park, route, None)).status_code == 401
        refused = await get(park, route, authorization("factory", route))
        assert (refused.status_code, refused.json()["detail"]["code"]) == (403, RejectCode.SCOPE_MISSING)


REFUSED: list[tuple[str, int, dict[str, Any]]] = [
    ("another's signature", RejectCode.LOGON_SIGNATURE, {"signer": "solar"}),
    ("signed for another route", RejectCode.LOGON_SIGNATURE, {"signed": "/v1/keys"}),
    ("signed for another query", RejectCode.LOGON_SIGNATURE, {"signed": "/v1/audit?limit=1"}),
    ("signed for another host", RejectCode.LOGON_SIGNATURE, {"host": "evil.example"}),
    ("stale", RejectCode.LOGON_STALE, {"timestamp_ns": 1}),
    ("unknown key", RejectCode.LOGON_SIGNATURE, {"key_id": "nobody"}),
    ("unknown key, stale", RejectCode.LOGON_STALE, {"key_id": "nobody", "timestamp_ns": 1}),
]


@pytest.mark.parametrize(("code", "changes"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_requests_that_nobody_signed(code: int, changes: dict[str, Any]) -> None:
    async with running_park() as park:
        answer = await get(park, "/v1/audit", authorization(**({"key_id": "operator", "target": "/v1/audit"} | changes)))
        assert (answer.status_code, answer.json()["detail"]["code"]) == (401, code)


async def test_an_address_that_guesses_over_rest_waits_too() -> None:
    async with running_park() as park:
        answers = [await get(park, "/v1/audit", authorization("operator", "/v1/audit", signer="solar")) for _ in range(7)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
        assert int(answers[-1].headers["retry-after"]) >= 1


async def test_a_revoked_key_reads_nothing_more() -> None:
    async with running_park() as park:
        first = Key(key_id="w", public_key=public_key_of(private_key("w")), scopes=["audit"])
        admitted = await park.document(Admit(name="watchdog", role="regulator", permissions=[], keys=[first]))
        assert admitted.result is not None
        await park.document(
            RegisterKey(account=admitted.result["account"], key=Key(key_id="w2", public_key=public_key_of(private_key("w2")), scopes=["read"]))
        )
        assert (await get(park, "/v1/audit", authorization("w", "/v1/audit"))).status_code == 200
        assert (await get(park, "/v1/audit", authorization("w2", "/v1/audit"))).status_code == 403
        operator = park.raw()
        await operator.log_on("operator")
        await act(operator, "revoke_key", key_id="w")
        assert (await get(park, "/v1/audit", authorization("w", "/v1/audit"))).status_code == 401


# Alerts


async def test_alerts_reach_those_who_operate_or_audit() -> None:
    async with running_park() as park:
        follower = SurveillanceFollower(Surveillance(park.node.exchange))
        park.node.listeners.append(follower.on_batch)
        hub = create_app(park.node, limits=Limits(flush_interval_s=0.002), surveillance=follower.surveillance).state.hub
        operator, buyer, seller = RawClient(hub), RawClient(hub), RawClient(hub)
        for client, name in ((operator, "operator"), (buyer, "factory"), (seller, "solar")):
            await client.log_on(name)
        await operator.ask("subscribe", {"channels": ["operator"]})
        await act(operator, "change_participant", account=SOLAR, reason="bought", beneficial_owner=FACTORY)
        await seller.ask("order.place", ORDER | {"side": "sell"})
        await buyer.ask("order.place", ORDER)
        follower.close()
        await asyncio.sleep(0)
        told = [frame["params"] for frame in operator.take() if frame.get("method") == "alert"]
        assert [(alert["rule"], alert["accounts"], alert["instrument"]) for alert in told] == [("wash_trade_owner", [FACTORY, SOLAR], POWER)]
        asked = (await operator.ask("surveillance.alerts", {"rule": "wash_trade_owner"}))["result"]
        assert (asked["count"], asked["alerts"]) == (1, told)
        assert (await operator.ask("surveillance.alerts", {"rule": "squeeze"}))["result"]["alerts"] == []
        await operator.ask("unsubscribe", {"channels": ["operator"]})
        assert not hub.publisher.operator
        await hub.close()


async def test_a_rule_that_fails_stops_surveillance_and_not_the_market(caplog: pytest.LogCaptureFixture) -> None:
    async with running_park() as park:
        follower = SurveillanceFollower(Surveillance(park.node.exchange))
        park.node.listeners.append(follower.on_batch)
        follower.on_batch(None)  # type: ignore[arg-type]  # ends the thread as `close` does; what comes later waits for nobody
        follower.close()
        broken = SurveillanceFollower(Surveillance(park.node.exchange))
        broken.surveillance.on_batch = _fails  # type: ignore[method-assign]
        park.node.listeners.append(broken.on_batch)
        client = park.raw()
        await client.log_on("operator")
        assert "result" in await act(client, "set_phase", symbol=UNITS, phase="halted", reason="test")
        broken.close()
        assert isinstance(broken.failure, ZeroDivisionError)
        assert "surveillance stopped" in caplog.text
        assert "result" in await act(client, "set_phase", symbol=UNITS, phase="resume", reason="test")


def _fails(_: object) -> None:
    raise ZeroDivisionError


async def test_the_sdk_administers() -> None:
    async with running_park() as park:
        first = park.raw()
        ann, _ = await operators(park)
        await first.log_on("operator")
        await act(ann, "set_approval_rules", **RULES)
        async with (
            connect(park.connector, key_id="ann", private_key=private_key("ann")) as one,
            connect(park.connector, key_id="bob", private_key=private_key("bob")) as two,
        ):
            told: list[Any] = []
            two.on("proposal", told.append)
            await two.administration.subscribe()
            deposit = Deposit(account=FACTORY, amount_micro=5, reference="test")
            with pytest.raises(RequestRefused, match="another person"):
                await one.submit(deposit)
            proposed = await one.administration.propose(deposit, "slip 7")
            assert [key.key_id for key in await one.administration.keys(FACTORY)] == ["factory"]
            answer = await two.administration.approve(proposed["proposal"])
            assert answer["status"] == "approved"
            for decide in ("reject", "withdraw"):
                again = (await one.administration.propose(deposit, "slip 8"))["proposal"]
                who = two if decide == "reject" else one
                await (who.administration.reject(again, "no") if decide == "reject" else who.administration.withdraw(again))
            rows = (await two.administration.proposals()).proposals
            assert [row.status for row in rows] == ["approved", "rejected", "withdrawn"]
            with pytest.raises(ClientError, match="no proposal 99"):
                await two.administration.approve(99)
            assert {row.status for row in told} >= {"waiting", "approved", "rejected"}
            assert (await one.administration.alerts()).count == 0
        async with connect(park.connector, key_id="operator", private_key=private_key("operator")) as auditor:
            log = await auditor.administration.audit_log(limit=3)
            assert (len(log.entries), log.entries[-1]["chain"]) == (3, log.head)
