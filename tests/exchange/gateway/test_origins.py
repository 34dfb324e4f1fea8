"""From which pages a socket may be opened: one row a page."""

import httpx
import pytest

from exchange.errors import InputError
from exchange.gateway.app import create_app
from exchange.gateway.origins import OriginPolicy, checked_origin, with_default_ports_left_out
from tests.exchange.gateway.parks import running_park

OWN = ("127.0.0.1:8765", "park.example:443", "[::1]:8765")
OTHER = ("https://desk.example", "http://lab.example:8080")

# origin, over plain HTTP (a proxy may add TLS), with TLS of our own
ORIGINS = [
    (None, True, True),
    ("http://127.0.0.1:8765", True, False),
    ("https://127.0.0.1:8765", True, True),
    ("https://[::1]:8765", True, True),
    ("https://park.example", True, True),
    ("https://park.example:443", True, True),
    ("http://127.0.0.1:8766", False, False),
    ("https://127.0.0.1", False, False),
    ("https://desk.example", True, True),
    ("http://desk.example", False, False),
    ("https://desk.example:444", False, False),
    ("http://lab.example:8080", True, True),
    ("https://evil.example", False, False),
    ("https://park.example.evil.example", False, False),
    ("https://evil.example/park.example", False, False),
    ("https://park.example@evil.example", False, False),
    ("https://park.example, https://park.example", False, False),
    ("http://[", False, False),
    ("null", False, False),
    ("", False, False),
]


@pytest.mark.parametrize(("origin", "plain", "secure"), ORIGINS)
def test_pages(origin: str | None, plain: bool, secure: bool) -> None:
    assert OriginPolicy(OWN, OTHER).accepts(origin) is plain
    assert OriginPolicy(OWN, OTHER, secure=True).accepts(origin) is secure


def test_without_hosts_any_page_but_a_nameless_one() -> None:
    policy = OriginPolicy()
    assert policy.accepts("https://anywhere.example")
    assert not policy.accepts("null")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://Desk.Example", "https://desk.example"),
        ("https://desk.example:443", "https://desk.example"),
        ("http://desk.example:443", "http://desk.example:443"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_an_origin_is_written_as_browsers_send_it(text: str, expected: str) -> None:
    assert checked_origin(text) == expected


@pytest.mark.parametrize(
    "text", ["", "*", "desk.example", "https://", "ftp://desk.example", "https://desk.example/", "https://a@desk.example", "http://desk:x", "http://["]
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="an origin is"):
        checked_origin(text)


async def test_a_gateway_answers_to_a_name_without_its_default_port() -> None:
    async with running_park() as park:
        hub = create_app(park.node, hosts=("park.example:443", "127.0.0.1:8765")).state.hub
        asked = ("park.example:443", "park.example", "127.0.0.1:8765", "127.0.0.1", "evil.example", "")
        assert [hub.host_for(name) for name in asked] == ["park.example:443", "park.example", "127.0.0.1:8765", None, None, None]


def test_names_with_a_default_port_are_also_asked_for_without_it() -> None:
    assert with_default_ports_left_out(["a:443", "b:80", "c:8443"]) == ("a:443", "a", "b:80", "b", "c:8443")


@pytest.mark.parametrize(("origin", "allowed"), [("https://desk.example", True), ("https://evil.example", False), (None, False)])
async def test_pages_of_configured_origins_may_read_rest_without_credentials(origin: str | None, allowed: bool) -> None:
    async with running_park() as park:
        app = create_app(park.node, origins=OriginPolicy((), OTHER))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
            response = await client.get("/v1/health", headers={} if origin is None else {"Origin": origin})
        assert response.status_code == 200
        assert response.headers.get("access-control-allow-origin") == (origin if allowed else None)
        assert "access-control-allow-credentials" not in response.headers
