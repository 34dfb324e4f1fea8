"""GET /v1/flows/{flow}: the park's totals for everybody, a subject for its owner and for who oversees."""

from typing import Any

import httpx
import pytest

from exchange.errors import InputError
from exchange.gateway.app import create_app
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.units import NS_PER_DAY
from tests.exchange.gateway.parks import FACTORY, SOLAR, RunningPark, running_park
from tests.exchange.gateway.test_administration import authorization


class Recorded:
    """A read model that answers what it was asked."""

    def flow(self, flow: str, subject: str | None, from_ns: int, to_ns: int, resolution: str, time_zone: str) -> tuple[int, list[Any]]:
        if to_ns == 99:
            raise InputError("more than 36000 buckets")
        self.asked = (flow, subject, from_ns, to_ns, resolution, time_zone)
        return 5, [(from_ns, "consumption", 7, "Wh")]


async def get(park: RunningPark, target: str, key: str = "", history: Any = None) -> httpx.Response:
    app = create_app(park.node, read_model=history or Recorded())
    transport = httpx.ASGITransport(app=app, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(target, headers={"authorization": authorization(key, target)} if key else {})


async def test_the_parks_totals_are_public() -> None:
    async with running_park() as park:
        history = Recorded()
        answer = await get(park, "/v1/flows/energy", history=history)
        assert answer.status_code == 200
        now_ns = park.clock.now_ns()
        assert history.asked == ("energy", None, now_ns - NS_PER_DAY, now_ns, "1h", "Asia/Shanghai")
        point = {"period_start_ns": now_ns - NS_PER_DAY, "kind": "consumption", "value": 7, "unit": "Wh"}
        assert answer.json() == {"as_of_seq": 5, "flow": "energy", "subject": "", "resolution": "1h", "points": [point]}
        await get(park, "/v1/flows/project?from=3&to=9&resolution=1mo", history=history)
        assert history.asked == ("project", None, 3, 9, "1mo", "Asia/Shanghai")


ACCESS = [  # what is asked for, by whose key, and the status of the answer
    (f"energy?subject=account:{FACTORY}", "", 401),
    (f"energy?subject=account:{FACTORY}", "factory", 200),
    (f"energy?subject=account:{FACTORY}", "operator", 200),
    (f"energy?subject=account:{SOLAR}", "factory", 403),
    ("energy?subject=device:1", "factory", 200),
    ("energy?subject=device:1", "solar", 403),
    ("energy?subject=device:9", "factory", 403),
    ("energy?subject=device:9", "operator", 200),
    ("energy?subject=boundary:1", "operator", 400),
    ("energy?subject=boundary:1", "factory", 403),
    (f"money?subject=account:{FACTORY}", "factory", 200),
    ("money?subject=device:1", "factory", 400),
    ("carbon?subject=boundary:1", "operator", 200),
    ("carbon?subject=boundary:1", "factory", 403),
    ("energy?from=5&to=4", "", 400),
    ("energy?to=99", "", 400),
    ("heat", "", 422),
    ("energy?resolution=1w", "", 422),
]


@pytest.mark.parametrize(("target", "key", "status"), ACCESS)
async def test_who_may_read_what(target: str, key: str, status: int) -> None:
    async with running_park() as park:
        await park.document(RegisterDevice(account=FACTORY, name="pv", kind="pv", capacity_w=4_000_000, commissioned_ns=0))
        answer = await get(park, f"/v1/flows/{target}", key)
        assert answer.status_code == status, answer.text


async def test_without_a_read_model_it_says_so() -> None:
    async with running_park() as park:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=park.app), base_url="http://test") as client:
            answer = await client.get("/v1/flows/energy")
        assert (answer.status_code, answer.json()["detail"]) == (404, "this exchange keeps no read model")
