"""Records behind the gateway: pages of the audit log that reach back to the first entry, and an answer while the database is away."""

import asyncio
from pathlib import Path

import httpx
import pytest

from clients.sdk import ClientError, connect
from clients.sdk.transport import loopback_connector
from exchange.accounts import audit
from exchange.gateway.history import QUESTIONS_MAX
from exchange.protocol.reject_codes import RejectCode
from exchange.readmodel.queries import ReadModel
from tests.exchange.gateway.parks import POWER, UNITS, RawClient, RunningPark, private_key, running_park
from tests.exchange.gateway.test_administration import act, authorization
from tests.exchange.gateway.test_history import Recorded

ACTS = 20
TAIL = 5


async def rest(recorded: Recorded, target: str, header: str | None = None) -> httpx.Response:
    transport = httpx.ASGITransport(app=recorded.app, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(target, headers={} if header is None else {"authorization": header})


async def signed(recorded: Recorded, target: str) -> httpx.Response:
    return await rest(recorded, target, authorization("operator", target))


async def busy(park: RunningPark, directory: Path) -> tuple[Recorded, RawClient]:
    """Twenty acts of the operator, of which five are at hand; the records have them all."""
    recorded = Recorded(park, directory, ring=10)
    log = park.node.exchange.rooms.audit
    log.tail = type(log.tail)(log.tail, TAIL)
    operator = park.raw()
    await operator.log_on("operator")
    for number in range(ACTS):
        await act(operator, "set_phase", symbol=UNITS, phase=("halted", "resume")[number % 2], reason="test")
    await recorded.caught_up()
    assert [entry.number for entry in log.tail] == [16, 17, 18, 19, 20]
    return recorded, operator


PAGES = [(1, 3), (1, 1_000), (14, 2), (14, 4), (15, 1), (16, 2), (20, 5), (21, 5)]


@pytest.mark.parametrize(("from_number", "limit"), PAGES)
async def test_a_page_begins_where_it_is_asked_to(from_number: int, limit: int, tmp_path: Path) -> None:
    async with running_park() as park:
        recorded, operator = await busy(park, tmp_path)
        wire = (await operator.ask("audit.log", {"from_number": from_number, "limit": limit}))["result"]
        assert [entry["number"] for entry in wire["entries"]] == list(range(from_number, min(from_number + limit, ACTS + 1)))
        body = (await signed(recorded, f"/v1/audit?from_number={from_number}&limit={limit}")).json()
        assert {name: body[name] for name in ("count", "head", "entries")} == wire
        recorded.close()


async def test_records_that_are_behind_end_the_page_where_nothing_follows(tmp_path: Path) -> None:
    async with running_park() as park:
        recorded, operator = await busy(park, tmp_path)
        answers = {}
        for known in (12, 17):

            class Behind(ReadModel):
                def audit_entries(self, from_number: int, limit: int = 1_000) -> list[audit.AuditEntry]:
                    return [entry for entry in super().audit_entries(from_number, limit) if entry.number <= known]  # noqa: B023

            park.hub.history = Behind(recorded.read_model.engine)
            page = (await operator.ask("audit.log", {"from_number": 10}))["result"]
            answers[known] = [entry["number"] for entry in page["entries"]]
        assert answers == {12: [10, 11, 12], 17: list(range(10, 21))}
        recorded.close()


async def test_the_sdk_reads_and_verifies_the_whole_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clients.sdk.administration._PAGE", 7)
    async with running_park() as park:
        recorded, _ = await busy(park, tmp_path)
        async with connect(loopback_connector(recorded.app), key_id="operator", private_key=private_key("operator")) as client:
            entries = await client.administration.whole_audit_log()
            assert [entry["number"] for entry in entries] == list(range(1, ACTS + 1))
            park.node.exchange.rooms.audit.head = "11" * 32
            with pytest.raises(ClientError, match="not its head"):
                await client.administration.whole_audit_log()
        recorded.close()


# While the database is away


def hide(directory: Path) -> None:
    """As a database that was taken away: connections that are made now find nothing there."""
    for path in directory.glob("readmodel.sqlite*"):
        path.rename(path.with_name(f"away-{path.name}"))


def bring_back(directory: Path) -> None:
    for path in directory.glob("readmodel.sqlite*"):
        path.unlink()
    for path in directory.glob("away-*"):
        path.rename(path.with_name(path.name.removeprefix("away-")))


def is_told_to_come_again(answer: httpx.Response) -> bool:
    detail = {"code": 5013, "message": "the records cannot be read now; ask again in a moment"}
    return (answer.status_code, answer.json(), answer.headers["retry-after"]) == (503, {"detail": detail}, "1")


async def test_rest_and_socket_say_that_records_are_away_and_recover_by_themselves(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running_park() as park:
        recorded, operator = await busy(park, tmp_path)
        older = {"from_number": 1, "limit": 2}
        recorded.read_model.engine.dispose()
        hide(tmp_path)
        for _ in range(2):
            for target in ("/v1/trades", f"/v1/trades?instrument={POWER}"):
                assert is_told_to_come_again(await rest(recorded, target))
            assert is_told_to_come_again(await signed(recorded, "/v1/audit?from_number=1"))
        assert (await operator.ask("audit.log", older))["error"]["data"]["code"] == RejectCode.HISTORY_UNAVAILABLE
        bars = {"instrument": POWER, "interval": "1m"}
        assert (await operator.ask("bars", bars))["error"]["data"]["code"] == RejectCode.HISTORY_UNAVAILABLE
        # What is at hand needs no records.
        assert (await signed(recorded, "/v1/audit?limit=2")).status_code == 200
        recorded.read_model.engine.dispose()
        bring_back(tmp_path)
        assert (await rest(recorded, "/v1/trades")).json() == {"as_of_seq": park.node.exchange.last_sequence, "trades": []}
        assert len((await operator.ask("audit.log", older))["result"]["entries"]) == 2
        told = [record.message for record in caplog.records if record.name == "parkex.readmodel"]
        assert [message.partition(":")[0] for message in told] == ["the read model cannot be read", "the read model is read again"]
        recorded.close()


async def test_a_database_that_hangs_holds_a_few_questions_and_no_more(tmp_path: Path) -> None:
    async with running_park() as park:
        recorded, _ = await busy(park, tmp_path)
        park.hub.asking |= {object() for _ in range(QUESTIONS_MAX)}
        answer = await rest(recorded, "/v1/trades")
        assert (answer.status_code, answer.json()["detail"]["code"]) == (503, RejectCode.QUEUE_FULL)
        park.hub.asking.clear()
        assert [(await asked).status_code for asked in [asyncio.ensure_future(rest(recorded, "/v1/trades")) for _ in range(3)]] == [200] * 3
        assert not park.hub.asking
        recorded.close()
