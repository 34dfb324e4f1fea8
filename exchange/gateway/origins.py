"""From which pages a browser may open a trading socket, and under which names the exchange is asked for.

A browser sends the page's Origin with every WebSocket handshake and lets no script forge it; it also sends cookies, which nothing here reads: a
session's authority is its signed logon and never something that a browser attaches by itself. Programs send no Origin.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from exchange.errors import InputError

_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def with_default_ports_left_out(names: Iterable[str]) -> tuple[str, ...]:
    """`names` (host:port), and those with the port of HTTP or HTTPS also without it: clients leave it out of what they ask for."""
    found: dict[str, None] = {}
    for name in names:
        found[name] = None
        for port in _DEFAULT_PORTS.values():
            if name.endswith(port):
                found[name.removesuffix(port)] = None
    return tuple(found)


def checked_origin(text: str) -> str:
    """An origin as browsers send it: scheme, host, and port if it is not the scheme's own. Raises InputError for anything else."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise InputError("an origin is http://host or https://host, with a port if it is not the default one, and nothing behind it")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port is None or f":{port}" == _DEFAULT_PORTS[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


class OriginPolicy:
    """Pages of the exchange's own `hosts`, and those of `allowed` origins. No hosts: pages of any host, for use inside one process.

    With `secure` a page of the own hosts has to have come over TLS like the socket itself; without, a proxy in front may have added it.
    """

    def __init__(self, hosts: Iterable[str] = (), allowed: Iterable[str] = (), *, secure: bool = False) -> None:
        self.allowed = tuple(checked_origin(origin) for origin in allowed)
        names = with_default_ports_left_out(hosts)
        schemes = ("https",) if secure else ("http", "https")
        self._accepted = {f"{scheme}://{name}" for scheme in schemes for name in names} | set(self.allowed)
        self._any = not names

    def accepts(self, origin: str | None) -> bool:
        """Whether a handshake with this Origin header, or without one, may go on."""
        return origin is None or (self._any and origin != "null") or origin in self._accepted
