"""The examples of README and guides run as they stand there."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clients.bots.actions import Place
from clients.bots.market import MarketView, Quote
from clients.sdk import public_key_of
from exchange.protocol.documents import Key
from matching.records import Side
from tests.running_market import Market, running_market

ROOT = Path(__file__).parents[2]
SYMBOL = "GP-20260715-1000"


def examples(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)


def defined_by(example: str) -> dict[str, Any]:
    scope: dict[str, Any] = {}
    exec(compile(example, "example", "exec"), scope)
    return scope


async def admit_member(market: Market) -> tuple[int, Ed25519PrivateKey]:
    private_key = Ed25519PrivateKey.generate()
    key = Key(key_id="e02", public_key=public_key_of(private_key), scopes=["read", "trade"])
    return await market.admit("E02", "enterprise", ["power_buy", "power_sell"], 0, 10_000, key=key), private_key


def socket_url(market: Market) -> str:
    return market.url.replace("http://", "ws://").rstrip("/")


async def test_readme_places_and_cancels(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = examples("README.md")
    async with running_market() as market:
        account, private_key = await admit_member(market)
        await defined_by(example)["main"](socket_url(market), "e02", private_key)
        assert market.node.exchange.open_orders(account) == []
    assert capsys.readouterr().out == "resting 12.5\n"


def test_readme_example_is_ten_lines() -> None:
    (example,) = examples("README.md")
    assert len([line for line in example.splitlines() if line.strip()]) <= 10


async def test_guide_bot_quotes_every_turn() -> None:
    bot, _ = examples("docs/guides/write-a-bot.md")
    async with running_market(turns=2) as market:
        account, private_key = await admit_member(market)
        await market.place(market.plant, SYMBOL, Side.SELL, 4_200, 100)
        playing = asyncio.create_task(defined_by(bot)["run"](socket_url(market), "e02", private_key))
        await asyncio.sleep(0.2)
        assert market.hub.conductor is not None
        market.hub.conductor.run(None)
        await asyncio.wait_for(playing, 20)
        assert market.hub.conductor.turns_timed_out == 0
        (order,) = market.node.exchange.open_orders(account)
        assert (order.symbol, order.price_ticks, order.remaining_lots, order.label) == (SYMBOL, 4_190, 50, 7)


def test_guide_strategy_joins_the_best_bid() -> None:
    _, strategy = examples("docs/guides/write-a-bot.md")
    joiner = defined_by(strategy)["Joiner"]
    contract = type("AnyContract", (), {"symbol": SYMBOL})
    view = MarketView(now_ns=0, contracts={}, quotes={SYMBOL: Quote(4_000, 10, 4_100, 10, 4_050)})
    assert joiner.quote(type("Self", (), {"label": 3}), view, contract) == [Place(SYMBOL, "buy", 4_000, 1, label=3)]
