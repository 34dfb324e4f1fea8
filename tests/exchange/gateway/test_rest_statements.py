"""Statements over REST: own with a key that may read, everybody's for overseers, as data, as a page and as CSV."""

import csv

import pytest

from tests.exchange.gateway.parks import FACTORY, SOLAR, running_park
from tests.exchange.gateway.test_administration import authorization, get
from tests.exchange.gateway.test_rest_carbon import settle


async def test_an_own_statement_as_data_as_a_page_and_as_csv() -> None:
    async with running_park() as park:
        await settle(park)
        expected = park.node.exchange.statement(FACTORY, "2026-07-15")
        assert expected is not None
        target = f"/v1/statements/2026-07-15/{FACTORY}"
        for signer in ("factory", "operator"):
            body = (await get(park, target, authorization(signer, target))).json()
            assert body["as_of_seq"] == park.node.exchange.last_sequence
            assert body["statement"]["total_micro"] == expected.total_micro
        page = f"{target}/html?lang=zh"
        answer = await get(park, page, authorization("factory", page))
        assert answer.headers["content-type"].startswith("text/html")
        assert "结算单 2026-07-15" in answer.text
        rows = f"{target}/csv"
        lines = list(csv.DictReader((await get(park, rows, authorization("factory", rows))).text.splitlines()))
        assert int(lines[-1]["amount_micro"]) == expected.total_micro


@pytest.mark.parametrize(
    ("path", "signer", "status"),
    [
        (f"2026-07-15/{SOLAR}", "factory", 403),
        (f"2026-07-15/{FACTORY}/html", "solar", 403),
        (f"2026-07-15/{FACTORY}", None, 401),
        (f"2026-07-16/{FACTORY}", "factory", 404),
        ("2026-07-15/999", "operator", 404),
        (f"2026-07-15/{FACTORY}?run=2", "factory", 404),
        (f"2026-07-15/{FACTORY}/pdf", "factory", 422),
    ],
)
async def test_who_sees_what(path: str, signer: str | None, status: int) -> None:
    async with running_park() as park:
        await settle(park)
        target = f"/v1/statements/{path}"
        assert (await get(park, target, authorization(signer, target) if signer else None)).status_code == status
