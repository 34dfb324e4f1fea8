"""The example of docs/guides/carbon.md as it stands there, against a running market."""

import pytest

from tests.clients.test_examples import admit_member, defined_by, examples, socket_url
from tests.running_market import running_market


async def test_a_member_enters_its_gas(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = examples("docs/guides/carbon.md")
    async with running_market() as market:
        account, private_key = await admit_member(market)
        await defined_by(example)["main"](socket_url(market), "e02", private_key)
        (entry,) = market.node.exchange.rooms.carbon.activities.of_year(2026)
        assert (entry.key.account, entry.quantity_milli, entry.sender) == (account, 25_000_000, account)
    assert capsys.readouterr().out == "{'entry': 1}\n"
