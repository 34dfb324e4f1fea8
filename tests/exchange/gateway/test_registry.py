"""REST of the registry: serial numbers, retirements as JSON, text and page, and who is told who holds what."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from exchange.order_path.business.granular import issue_granular
from exchange.protocol.reject_codes import MESSAGES, RejectCode
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.registry.bundles import FACTS_BYTES
from exchange.registry.green_output import GreenOutput, GreenUse
from tests.exchange.gateway.parks import FACTORY, SOLAR, UNITS, RawClient, RunningPark, running_park
from tests.exchange.gateway.test_administration import authorization, get
from tests.exchange.order_path.park import DAY_NS

RETIREMENT = {
    "symbol": UNITS, "quantity_lots": 100, "purpose": "voluntary <b>2026</b>", "consumed_from_ns": DAY_NS, "consumed_to_ns": DAY_NS + 10**9,
}  # fmt: skip


async def retire(client: RawClient, **changes: Any) -> dict[str, Any]:
    return await client.ask("document.submit", {"schema": "retire_units", "document": RETIREMENT | changes})


@asynccontextmanager
async def registry_park() -> AsyncIterator[RunningPark]:
    """The factory has 10,000 allowances, of which it retired 100 and then 50, and 700 Wh of granular certificates of the plant of solar."""
    async with running_park() as park:
        device = RegisterDevice(account=SOLAR, name="roof", kind="pv", capacity_w=10**6, commissioned_ns=0, scheme="granular", location="Zhengzhou")
        await park.document(device)
        columns = (np.array([value], np.int64) for value in (DAY_NS, 1, int(GreenUse.DELIVERED), FACTORY, 700))
        issue_granular(park.node.exchange, GreenOutput(*columns))
        client = park.raw()
        await client.log_on("factory")
        for quantity in (100, 50):
            assert "result" in await retire(client, quantity_lots=quantity)
        yield park


def serial_of(park: RunningPark, account: int, state: str) -> str:
    registry = park.node.exchange.rooms.registry
    rows = [row for row in registry.bundles_of(account).tolist() if int(registry.rows[row]["scheme"]) == 4]
    named = {"retired": 6, "issued": 2}[state]
    return next(str(registry.range_of(row)) for row in rows if int(registry.rows[row]["state"]) == named)


async def test_a_retirement_is_public_by_its_number() -> None:
    async with registry_park() as park:
        body = (await get(park, "/v1/retirements/1", None)).json()
        assert body["as_of_seq"] == park.node.exchange.last_sequence
        told = body["retirement"]
        assert (told["beneficiary"], told["beneficiary_name"], told["quantity"], told["series"], told["unit"]) == (
            FACTORY, "factory", 100, UNITS, "1 tCO2e",
        )  # fmt: skip
        assert told["serials"] == [serial_of(park, FACTORY, "retired")]
        second = (await get(park, "/v1/retirements/2", None)).json()["retirement"]
        assert (second["number"], second["previous"]) == (2, told["digest"])


async def test_its_digest_is_the_sha_256_of_its_text() -> None:
    async with registry_park() as park:
        text = await get(park, "/v1/retirements/2/text", None)
        assert text.headers["content-type"].startswith("text/plain")
        told = (await get(park, "/v1/retirements/2", None)).json()["retirement"]
        assert hashlib.sha256(text.content).hexdigest() == told["digest"]


PAGES = [("", "en", "Retirement certificate"), ("?lang=en", "en", "Beneficiary"), ("?lang=zh", "zh-CN", "核销证书")]


@pytest.mark.parametrize(("query", "language", "word"), PAGES)
async def test_the_page_can_be_shared_and_runs_nothing(query: str, language: str, word: str) -> None:
    async with registry_park() as park:
        page = await get(park, f"/retirements/1{query}", None)
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert f'<html lang="{language}">' in page.text
        assert word in page.text
        assert "voluntary &lt;b&gt;2026&lt;/b&gt;" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"


async def test_retirements_newest_first() -> None:
    async with registry_park() as park:
        body = (await get(park, "/v1/retirements", None)).json()
        assert (body["count"], [row["number"] for row in body["retirements"]]) == (2, [2, 1])
        assert [row["quantity"] for row in (await get(park, "/v1/retirements?limit=1", None)).json()["retirements"]] == [50]


async def test_a_serial_number_tells_its_state_and_chain() -> None:
    async with registry_park() as park:
        retired = (await get(park, f"/v1/certificates/{serial_of(park, FACTORY, 'retired')}", None)).json()
        assert (retired["state"], retired["retirement"], retired["holder"], retired["scheme"]) == ("retired", 1, FACTORY, "CEA")
        assert [link["serial"] for link in retired["chain"]] == [retired["serial"], retired["chain"][-1]["serial"]]
        # 100 were split from 10,000: the second digest is over the first of the issuance.
        registry = park.node.exchange.rooms.registry
        row = registry.find(retired["issuance"]["number"], 1)
        parent = int(registry.rows[row]["parent"])
        facts = registry.rows[row].tobytes()[:FACTS_BYTES]
        assert hashlib.sha256(bytes.fromhex(retired["chain"][1]["digest"]) + facts).hexdigest() == retired["chain"][0]["digest"]
        assert str(registry.range_of(parent)) == retired["chain"][1]["serial"]


async def test_a_granular_certificate_tells_device_and_quarter_hour() -> None:
    async with registry_park() as park:
        registry = park.node.exchange.rooms.registry
        (row,) = registry.bundles_of(FACTORY, 0).tolist()
        told = (await get(park, f"/v1/certificates/{registry.range_of(row)}", None)).json()
        assert (told["scheme"], told["period_start_ns"], told["state"], told["retirement"]) == ("GC", DAY_NS, "issued", None)
        assert told["source"] == {"device": 1, "name": "roof", "kind": "pv", "capacity_w": 10**6, "location": "Zhengzhou", "commissioned_ns": 0}
        assert told["issuance"]["evidence"] != "0" * 64


@pytest.mark.parametrize(("key_id", "holder"), [(None, None), ("solar", None), ("factory", FACTORY), ("operator", FACTORY)])
async def test_who_holds_live_units_is_told_to_owner_and_overseers(key_id: str | None, holder: int | None) -> None:
    async with registry_park() as park:
        target = f"/v1/certificates/{serial_of(park, FACTORY, 'issued')}"
        told = (await get(park, target, None if key_id is None else authorization(key_id, target))).json()
        assert (told["state"], told["holder"]) == ("issued", holder)


async def test_everybody_sees_counts_and_the_owner_its_bundles() -> None:
    async with registry_park() as park:
        body = (await get(park, "/v1/certificates", None)).json()
        assert {row["series"]: row["units"] for row in body["counts"]} == {"GC": {"issued": 700}, UNITS: {"issued": 9_850, "retired": 150}}
        assert (body["account"], body["count"], body["bundles"]) == (None, 0, [])
        target = "/v1/certificates?limit=1"
        body = (await get(park, target, authorization("factory", target))).json()
        assert (body["account"], body["count"], len(body["bundles"])) == (FACTORY, 2, 1)
        target = "/v1/certificates"
        body = (await get(park, target, authorization("factory", target))).json()
        told = sorted((row["series"], row["quantity"], row["state"]) for row in body["bundles"])
        assert told == [(UNITS, 9_850, "issued"), ("GC", 700, "issued")]
        assert (await get(park, target, authorization("solar", target))).json()["bundles"] == []


UNKNOWN = {
    "/v1/retirements/3": RejectCode.UNKNOWN_RETIREMENT,
    "/v1/retirements/3/text": RejectCode.UNKNOWN_RETIREMENT,
    "/retirements/3": RejectCode.UNKNOWN_RETIREMENT,
    "/v1/certificates/PARK": RejectCode.UNKNOWN_SERIAL,
    "/v1/certificates/PARK-GEC-D1-202607-1-1-1-A": RejectCode.UNKNOWN_SERIAL,
}


@pytest.mark.parametrize("path", UNKNOWN)
async def test_what_there_is_none_of_has_a_code(path: str) -> None:
    async with registry_park() as park:
        answer = await get(park, path, None)
        assert answer.status_code == 404
        assert answer.json() == {"detail": {"code": int(UNKNOWN[path]), "message": MESSAGES[UNKNOWN[path]]}}


async def test_a_serial_number_beyond_the_issuance_is_unknown() -> None:
    async with registry_park() as park:
        registry = park.node.exchange.rooms.registry
        beyond = registry.range_of(0)._replace(serial_from=10_001, serial_to=10_001)
        other_unit = registry.range_of(0)._replace(vintage=202601)
        for serial in (beyond, other_unit):
            answer = await get(park, f"/v1/certificates/{serial}", None)
            assert (answer.status_code, answer.json()["detail"]["code"]) == (404, int(RejectCode.UNKNOWN_SERIAL))


async def test_a_bad_signature_is_refused_and_not_taken_for_nobodys() -> None:
    async with registry_park() as park:
        for target in ("/v1/certificates", f"/v1/certificates/{serial_of(park, FACTORY, 'issued')}"):
            assert (await get(park, target, authorization("factory", target, signer="solar"))).status_code == 401
        assert [(await get(park, f"/retirements/1?lang={bad}", None)).status_code for bad in ("fr", "")] == [422, 422]
        assert [(await get(park, f"/v1/retirements/{bad}", None)).status_code for bad in ("0", "x", "-1", str(2**63))] == [422] * 4
