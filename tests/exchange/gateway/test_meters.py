"""POST /v1/meters/readings: signed with the digest of the file, checked whole, loaded document by document, repeated without harm."""

import base64
import hashlib
import io
import time
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest

from exchange.errors import InputError
from exchange.gateway.meter_upload import UploadOptions, UploadReport, check_upload, load_documents
from exchange.metering.files.rows import Park
from exchange.node import NotAcceptingError
from exchange.protocol.auth import request_message
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.metering import DeviceReadings, RegisterDevice
from exchange.units import NS_PER_DAY, PERIOD_NS
from tests.exchange.gateway.parks import FACTORY, RunningPark, private_key, running_park
from tests.exchange.order_path.park import DAY_NS, OPERATOR

HEADER = "device,period_start,import_kwh,export_kwh"
GOOD = f"{HEADER}\nload,2026-07-15 00:00,1.5,0\nload,2026-07-15 00:15,2,0\ngrid,2026-07-15 00:00,1.5,0\n"


async def ready(park: RunningPark) -> None:
    await park.document(RegisterDevice(account=FACTORY, name="load", kind="load", capacity_w=4_000_000, commissioned_ns=0))
    park.clock.advance_to(DAY_NS + NS_PER_DAY)
    await park.document(RegisterDevice(account=FACTORY, name="pv", kind="pv", capacity_w=4_000_000, commissioned_ns=0))  # time has come


async def post(park: RunningPark, text: str, *, key: str = "operator", method: str = "POST", digest: str = "", **query: Any) -> httpx.Response:
    query = {"sha256": digest or hashlib.sha256(text.encode()).hexdigest(), "source": "july.csv"} | query
    target, stamp = f"/v1/meters/readings?{urlencode(query)}", time.time_ns()
    signature = base64.b64encode(private_key(key).sign(request_message(method, target, stamp, key, "test"))).decode()
    headers = {"authorization": f"Parkex key={key}, timestamp={stamp}, signature={signature}"}
    transport = httpx.ASGITransport(app=park.app, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.post(target, content=text.encode(), headers=headers)


def consumption_wh(park: RunningPark) -> list[int]:
    return park.node.exchange.rooms.meters.read([FACTORY], [DAY_NS, DAY_NS + PERIOD_NS]).consumption_wh[0].tolist()


async def test_a_file_is_checked_loaded_and_loaded_again() -> None:
    async with running_park() as park:
        await ready(park)
        checked = (await post(park, GOOD, check=True)).json()
        assert (checked["rows"], checked["devices"], checked["documents"], checked["loaded"]) == (3, 1, 0, 0)
        assert consumption_wh(park) == [0, 0]
        loaded = (await post(park, GOOD)).json()
        assert (loaded["documents"], loaded["loaded"], loaded["already_there"], loaded["refusals"]) == (1, 3, 0, [])
        assert loaded["as_of_seq"] == park.node.exchange.last_sequence
        assert consumption_wh(park) == [1_500, 2_000]
        again = (await post(park, GOOD)).json()
        assert (again["documents"], again["loaded"], again["already_there"]) == (1, 0, 3)
        other = (await post(park, GOOD.replace("1.5", "1.6"), revision=2)).json()
        assert (other["loaded"], other["replaced"]) == (3, 3)
        assert park.node.exchange.rooms.audit.count > 0  # who loaded it is in the audit log
        assert consumption_wh(park) == [1_600, 2_000]


REFUSED = [
    (GOOD + "load,2026-07-15 00:30,x,0\n", {}, ("july.csv, line 5: number_malformed: import_kwh 'x' is no plain number of kWh with "
     "at most three decimals")),
    (GOOD.replace("2,0", "3,0"), {}, "july.csv, line 3: device_revision_not_higher"),
    (GOOD.replace("grid,2026-07-15 00:00,1.5", "grid,2026-07-15 00:00,1.6"), {}, "july.csv, line 4: meter_revision_not_higher"),
    (GOOD, {"version": "correction", "revision": 2}, "july.csv, line 2: device_month_not_closed"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "query", "refusal"), REFUSED)
async def test_what_refuses_a_file_is_named_by_its_line_and_nothing_is_loaded(text: str, query: dict[str, Any], refusal: str) -> None:
    async with running_park() as park:
        await ready(park)
        assert (await post(park, GOOD)).status_code == 200
        before = park.node.exchange.last_sequence
        answer = await post(park, text, **query)
        assert (answer.status_code, answer.json()["detail"]["refusals"]) == (409, [refusal])
        assert park.node.exchange.last_sequence == before


BAD_REQUESTS = [
    ({"digest": "0" * 64}, 400, "the file is not the one whose digest was signed"),
    ({"version": "last"}, 400, "version: expected one of preliminary, final, correction"),
    ({"zone": "Mars/Base"}, 400, "unknown time zone; expected an IANA name such as Asia/Shanghai"),
]


@pytest.mark.parametrize(("changes", "status", "words"), BAD_REQUESTS)
async def test_a_bad_request_is_told(changes: dict[str, Any], status: int, words: str) -> None:
    async with running_park() as park:
        await ready(park)
        answer = await post(park, GOOD, **changes)
        assert (answer.status_code, answer.json()["detail"]) == (status, words)


async def test_only_an_operator_loads_and_only_what_was_signed() -> None:
    async with running_park() as park:
        await ready(park)
        member = await post(park, GOOD, key="factory")
        assert (member.status_code, member.json()["detail"]["code"]) == (403, RejectCode.SCOPE_MISSING)
        other_method = await post(park, GOOD, method="GET")
        assert (other_method.status_code, other_method.json()["detail"]["code"]) == (401, RejectCode.LOGON_SIGNATURE)


async def test_a_file_that_is_too_large_is_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchange.gateway.rest_meters.UPLOAD_BYTES_MAX", 20)
    async with running_park() as park:
        await ready(park)
        assert (await post(park, GOOD)).status_code == 413


@pytest.mark.parametrize("changes", [{"version": "x"}, {"revision": -1}, {"digits": 0}, {"source": "x" * 201}])
def test_options_are_checked(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        UploadOptions(**({"source": "f.csv"} | changes)).check()


async def test_a_load_that_is_interrupted_is_repeated_as_it_was() -> None:
    async with running_park() as park:
        await ready(park)
        options = UploadOptions("july.csv", rows_max=1)
        rooms, zone = park.node.exchange.rooms, ZoneInfo("Asia/Shanghai")

        async def checked() -> tuple[UploadReport, list[DeviceReadings]]:
            return await check_upload(io.BytesIO(GOOD.encode()), Park.of(rooms.devices, zone), rooms, park.node.exchange.now_ns, options)

        class Failing:
            """The node goes away behind the second document."""

            sent = 0

            def submit(self, record: Any, document: bytes = b"") -> Any:
                self.sent += 1
                if self.sent > 2:
                    raise NotAcceptingError(RejectCode.NOT_ACCEPTING)
                return park.node.submit(record, document)

        report, documents = await checked()
        assert len(documents) == 3
        with pytest.raises(NotAcceptingError):
            await load_documents(Failing(), documents, report, OPERATOR, 0)
        assert (report.documents, report.loaded) == (2, 2)
        report, documents = await checked()
        assert await load_documents(park.node, documents, report, OPERATOR, 0) is None
        assert (report.documents, report.loaded, report.already_there) == (3, 1, 2)
        assert consumption_wh(park) == [1_500, 2_000]


async def test_a_document_that_is_refused_in_the_middle_is_told_with_what_was_loaded() -> None:
    """The check has passed, and then somebody else was faster."""
    async with running_park() as park:
        await ready(park)
        rooms = park.node.exchange.rooms
        options = UploadOptions("july.csv", rows_max=2)
        report, documents = await check_upload(
            io.BytesIO(GOOD.encode()), Park.of(rooms.devices, ZoneInfo("UTC")), rooms, park.node.exchange.now_ns, options
        )
        assert (await post(park, f"{HEADER}\nload,2026-07-15 00:15Z,9,0\n")).status_code == 200
        assert await load_documents(park.node, documents, report, OPERATOR, 0) == "device_revision_not_higher at row 0"
        assert (report.documents, report.loaded) == (1, 2)
