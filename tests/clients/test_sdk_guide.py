"""The examples of docs/guides/sdk.md, as they stand there, against a running market."""

import asyncio
import base64
import os
import re
import shutil
from pathlib import Path

import pytest

from clients.web import PAGE_DIRECTORY
from exchange.gateway.limits import Limits, Rate
from matching.records import Side
from tests.clients.test_examples import admit_member, defined_by, examples, socket_url
from tests.conftest import find_node
from tests.running_market import running_market

PAGE = "docs/guides/sdk.md"
SYMBOL = "GP-20260715-1015"
SAID = {
    0: "rested buy 12.5 0.4100\nrepriced buy 12.5 0.4100\nrested buy 12.5 0.4150\n2006 price is not a multiple of the tick\n"
    "cancelled buy 12.5 0.4150\ncancelled 0\n",
    1: "resting 1000000000000\n",
    2: "bid 0.4000 5.0 1\nask 0.4200 8.0 1\n",
    3: "200 200\n200\n",
}


@pytest.mark.parametrize("number", SAID)
async def test_an_example(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    main = defined_by(examples(PAGE)[number])["main"]
    async with running_market(limits=Limits(key=Rate(1_000, 100))) as market:
        account, key = await admit_member(market)
        private_key = base64.b64encode(key.private_bytes_raw()).decode()
        if number == 1:  # sells, which a load may not do before it has bought
            await market.place(market.plant, SYMBOL, Side.SELL, 4_000, 50)
            await market.place(account, SYMBOL, Side.BUY, 4_000, 50)
        if number == 2:
            await market.place(market.load, SYMBOL, Side.BUY, 4_000, 50)
            await market.place(market.plant, SYMBOL, Side.SELL, 4_200, 80)
        if asyncio.iscoroutinefunction(main):
            await (main(socket_url(market)) if number == 2 else main(socket_url(market), "e02", private_key))
        else:
            await asyncio.to_thread(main, socket_url(market), "e02", private_key)
        assert market.node.exchange.open_orders(account) == []
    out = capsys.readouterr().out
    # Money that was spent on what is sold again depends on the tariff of the day.
    assert re.sub(r"resting \d+", "resting 1000000000000", out) == SAID[number]


def test_every_example_is_run() -> None:
    assert len(examples(PAGE)) == len(SAID)


@pytest.mark.node
async def test_the_javascript_example(tmp_path: Path) -> None:
    node = find_node()
    assert node is not None, "no Node found; .ci/run installs it"
    (example,) = re.findall(r"```js\n(.*?)```", (Path(__file__).parents[2] / PAGE).read_text("utf-8"), re.DOTALL)
    shutil.copy(PAGE_DIRECTORY / "parkex.js", tmp_path / "parkex.js")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "example.js").write_text(example)
    (tmp_path / "run.js").write_text('import { main } from "./example.js";\nawait main(...process.argv.slice(2));\n')
    async with running_market() as market:
        _, key = await admit_member(market)
        process = await asyncio.create_subprocess_exec(
            node, "--experimental-websocket", str(tmp_path / "run.js"), socket_url(market), "e02", base64.b64encode(key.private_bytes_raw()).decode(),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ, "NODE_NO_WARNINGS": "1"},
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert out.decode() == "rested buy 12.5 0.4100\ncancelled buy 12.5 0.4100\nresting true bigint\n"
