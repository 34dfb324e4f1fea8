"""The JavaScript client, in Node and in a browser, against a real server."""

import asyncio
import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clients.sdk import public_key_of
from clients.sdk.pacing import COSTS
from clients.web import PAGE_DIRECTORY
from exchange.gateway.limits import Limits, Rate
from exchange.protocol.documents import Key
from tests.browser.devtools import browser_page
from tests.conftest import find_browser, find_node
from tests.running_market import Market, running_market

HERE = Path(__file__).parent
LIMITS = Limits(key=Rate(100, 40), heartbeat_interval_s=0.05, flush_interval_s=0.01)


async def admit(market: Market, name: str, role: str, low: int, high: int) -> str:
    """A member with a key of its own; the private key in base64."""
    private_key = Ed25519PrivateKey.generate()
    key = Key(key_id=name.lower(), public_key=public_key_of(private_key), scopes=["read", "trade"])
    await market.admit(name, role, ["power_buy", "power_sell"], low, high, key=key)
    return base64.b64encode(private_key.private_bytes_raw()).decode()


def socket_url(market: Market) -> str:
    return market.url.replace("http", "ws", 1)


@pytest.mark.node
async def test_in_node() -> None:
    node = find_node()
    assert node is not None, "no Node found; .ci/run installs it"
    async with running_market(limits=LIMITS) as market:
        environment = {
            **os.environ, "PARKEX_URL": socket_url(market), "PARKEX_KEY": await admit(market, "E02", "enterprise", 0, 100_000),
            "PARKEX_OTHER_KEY": await admit(market, "PV02", "generator", -100_000, 0), "NODE_NO_WARNINGS": "1",
        }  # fmt: skip
        command = [node, "--experimental-websocket", "--test", "--test-concurrency=1", str(HERE / "parkex.test.mjs")]
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(), 60)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, out.decode()


TRADE = """(async () => {
  const { connect, Refused } = await import("/parkex.js");
  const park = await connect(ADDRESS, { keyId: "e02", privateKey: KEY });
  const kinds = [];
  park.on("execution", ({ kind }) => kinds.push(kind));
  await park.subscribe("executions");
  const book = await park.subscribeBook("GP-20260715-1000");
  const order = await park.place({ instrument: "GP-20260715-1000", side: "buy", price: "0.4000", quantity: "12.5" });
  while (book.bids.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const bids = book.bids;
  await park.cancel(order.order_id);
  const again = await park.cancel(order.order_id).catch((error) => error instanceof Refused && error.code);
  const balance = (await park.request("balances")).balance_micro;
  park.close();
  return [order.status, kinds, bids, again, String(balance), typeof balance];
})()"""


@pytest.mark.browser
async def test_in_a_browser() -> None:
    browser = find_browser()
    assert browser is not None, "no Chromium found; .ci/install-browser installs it"
    async with running_market() as market, browser_page(browser) as page:
        key = await admit(market, "E02", "enterprise", 0, 100_000)
        await page.open(market.url)
        await page.wait_for("document.getElementById('connection').dataset.state === 'live'")
        program = TRADE.replace("ADDRESS", json.dumps(socket_url(market))).replace("KEY", json.dumps(key))
        told: Any = await page.evaluate(program)
        assert told == ["resting", ["rested", "cancelled"], [["0.4000", "12.5", 1]], 3006, "1000000000000", "bigint"]
        # Ed25519 came late to browsers: one without it is told what is missing.
        lacking = await page.evaluate(
            "import('/parkex.js').then(({ signerOf }) => { crypto.subtle.importKey = () => Promise.reject(new DOMException('', 'NotSupportedError'));"
            f" return signerOf({json.dumps(key)}); }}).catch((error) => error.message)"
        )
        assert "has no Ed25519 here" in str(lacking)
        assert page.complaints == []


def test_the_file_stands_alone() -> None:
    """No import of anything, so that it can be copied; and its costs are those of the Python client."""
    source = (PAGE_DIRECTORY / "parkex.js").read_text("utf-8")
    assert not [line for line in source.splitlines() if line.startswith("import ")]
    block = source[source.index("const COSTS = {") : source.index("};")]
    for method, cost in COSTS.items():
        assert f'"{method}": {cost:g},' in block or f"{method}: {cost:g}," in block or f'"{method}": {cost:g},\n' in block, method
