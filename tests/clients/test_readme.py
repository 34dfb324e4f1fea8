"""The example of the README runs as it stands there."""

import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clients.sdk import public_key_of
from exchange.protocol.documents import Key
from tests.running_market import running_market

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
MEMBER = ("E02", "enterprise", ["power_buy", "power_sell"], 0, 10_000)


def example() -> str:
    found = re.search(r"<!-- sdk example -->\n```python\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


async def test_example_places_and_cancels(capsys: pytest.CaptureFixture[str]) -> None:
    scope: dict[str, Any] = {}
    exec(compile(example(), "README.md", "exec"), scope)
    private_key = Ed25519PrivateKey.generate()
    async with running_market() as market:
        account = await market.admit(*MEMBER, key=Key(key_id="e02", public_key=public_key_of(private_key), scopes=["read", "trade"]))
        await scope["main"](market.url.replace("http://", "ws://").rstrip("/"), "e02", private_key)
        assert market.node.exchange.open_orders(account) == []
    assert capsys.readouterr().out == "resting 12.5\n"


def test_example_is_ten_lines() -> None:
    assert len([line for line in example().splitlines() if line.strip()]) <= 10
