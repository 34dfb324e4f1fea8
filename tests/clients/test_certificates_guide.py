"""The examples of docs/guides/certificates.md, as they stand there, against a running market; and its addresses."""

import base64
import hashlib
import re
from pathlib import Path

import httpx
import pytest

from clients.sdk import public_key_of
from exchange.protocol.documents import Key, RegisterKey
from matching.records import Side
from tests.clients.test_examples import defined_by, examples, socket_url
from tests.exchange.gateway.parks import private_key
from tests.exchange.order_path.business.certificate_park import at
from tests.exchange.order_path.park import OPERATOR
from tests.running_market import Market, running_market

PAGE = "docs/guides/certificates.md"
SYMBOL = "GEC-202606-PV"


async def keyed(market: Market, account: int, name: str, *scopes: str) -> str:
    """A key of an account, registered; its private half as the SDK takes it."""
    key = private_key(name)
    await market.document(RegisterKey(account=account, key=Key(key_id=name, public_key=public_key_of(key), scopes=list(scopes))))
    return base64.b64encode(key.private_bytes_raw()).decode()


async def test_issue_trade_retire_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    issuing, retiring = (defined_by(example) for example in examples(PAGE))
    async with running_market() as market:
        plant = await market.admit("PV02", "generator", ["gec_sell"], -1_000_000, 0)
        user = await market.admit("E09", "enterprise", ["gec_buy"], 0, 1_000_000)
        operator_key = await keyed(market, OPERATOR, "guide", "read", "operate")
        issuing["connect"] = _as(issuing["connect"], "guide")
        energy = [900_000_000, 199_600_000]
        await issuing["issue"](socket_url(market), operator_key, plant, "2026-06", at("2026-06-10T12:00"), energy)
        await market.place(plant, SYMBOL, Side.SELL, 550, 5)
        user_key = await keyed(market, user, "e09", "read", "trade")
        number = await retiring["buy_and_retire"](socket_url(market), "e09", user_key, SYMBOL)
        assert capsys.readouterr().out == "1099 tradable, 0 of self-use\nbought 5\nretirement 1\n"
        await _look(market.url, number)


def _as(connect: object, key_id: str) -> object:
    """The operator of the running market signs with a key of the test."""
    return lambda url, **fields: connect(url, **(fields | {"key_id": key_id}))  # type: ignore[operator]


async def _look(url: str, number: int) -> None:
    """The addresses of the guide, on this port."""
    text = (Path(__file__).parents[2] / PAGE).read_text("utf-8")
    paths = [path.replace("/1", f"/{number}") for path in re.findall(r"http://127\.0\.0\.1:8765(/\S*?)[\s`]", text)]
    assert paths == ["/retirements/1", "/v1/retirements/1", "/v1/retirements/1/text", "/v1/certificates/SERIAL"]
    async with httpx.AsyncClient(base_url=url) as client:
        page, retirement, whole, unknown = [await client.get(path) for path in paths]
        told = retirement.json()["retirement"]
        assert told["digest"] in page.text
        assert hashlib.sha256(whole.content).hexdigest() == told["digest"]
        assert unknown.status_code == 404
        unit = (await client.get(f"/v1/certificates/{told['serials'][0]}")).json()
        assert (unit["state"], unit["retirement"], unit["source"]["name"]) == ("retired", number, "roof")
        assert "核销证书" in (await client.get(f"/retirements/{number}?lang=zh")).text
