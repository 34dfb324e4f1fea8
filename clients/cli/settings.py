"""Every setting of `parkex serve`: its key in the file, its type, its default and what it is for. docs/configuration.md is written from this table.

A setting `section.name` is `name` in the table `[section]` of the file and PARKEX_SECTION_NAME in the environment; some have an option of the
command as well, and `--set section.name=VALUE` gives any of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import Enum
from typing import Final

from exchange.gateway.limits import Limits, Rate
from exchange.gateway.probes import DISK_FREE_MIN_BYTES, LOOPBACK, READ_MODEL_LAG_MAX
from exchange.gateway.server import DEFAULT_HOST, SHUTDOWN_TIMEOUT_S
from exchange.logs import LogFormat, LogLevel

Value = str | int | float | bool | tuple[str, ...] | None
_MIB: Final = 1024 * 1024


class Kind(Enum):
    """What a value is; the text is how a message says what was expected."""

    TEXT = "a text"
    INTEGER = "an integer"
    NUMBER = "a number"
    SWITCH = "true or false"
    LIST = "a list of texts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """`option` is the command's own option, if there is one. `default` None: what `help` says. `choices` are all values of a text."""

    key: str
    kind: Kind
    default: Value
    help: str
    option: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return "PARKEX_" + self.key.replace(".", "_").upper()

    @property
    def section(self) -> str:
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        return self.key.partition(".")[2]


_LIMIT_HELP: Final = {
    "connection": "frames a second of one connection, refused before they are decoded",
    "key": "commands a second of one key",
    "account": "commands a second of one account, over all its keys",
    "frame_bytes": "largest frame of a member",
    "operator_frame_bytes": "largest frame of a key with scope `operate`",
    "max_connections": "open connections",
    "max_logon_failures": "failed logons after which a connection is closed",
    "logon_window_ns": "how far a logon's timestamp may be off",
    "max_in_flight": "commands without their answer, over all connections",
    "outbox_frames": "frames waiting for one client before its session ends",
    "outbox_bytes": "bytes waiting for one client before its session ends",
    "public_backlog_frames": "frames waiting for one client before it gets no more public data",
    "execution_ring": "private executions kept for replay, for each account",
    "book_levels": "price levels a side of the book channel",
    "flush_interval_s": "how long public data is gathered",
    "heartbeat_interval_s": "time between heartbeats",
    "anonymous_market_data": "public data without a logon",
}
_KINDS: Final = {bool: Kind.SWITCH, int: Kind.INTEGER, float: Kind.NUMBER}


def _limit_settings() -> Iterable[Setting]:
    """The fields of `Limits`; a rate is two settings."""
    defaults = Limits()
    for field in fields(Limits):
        value, text = getattr(defaults, field.name), _LIMIT_HELP.get(field.name, "")
        if isinstance(value, Rate):
            yield Setting(key=f"limits.{field.name}_per_s", kind=Kind.NUMBER, default=value.per_s, help=text, minimum=0.001)
            yield Setting(key=f"limits.{field.name}_burst", kind=Kind.NUMBER, default=value.burst, help=f"{text}: how many at once", minimum=1)
        else:
            minimum = None if isinstance(value, bool) else 0.001 if isinstance(value, float) else 0
            yield Setting(key=f"limits.{field.name}", kind=_KINDS[type(value)], default=value, help=text, minimum=minimum)


SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(key="exchange.directory", kind=Kind.TEXT, default="parkex-data", option="--journal",
            help="folder of the journal; made with a new operator key when there is none"),
    Setting(key="exchange.park", kind=Kind.TEXT, default="park", option="--park", help="name of the park; for a new journal"),
    Setting(key="exchange.simulation", kind=Kind.SWITCH, default=False, option="--simulation",
            help="allow instruments of the venue national_simulated; for a new journal"),
    Setting(key="exchange.internal_approval", kind=Kind.TEXT, default="", option="--internal-approval",
            help="reference of the approval to trade instruments of the venue internal; for a new journal"),
    Setting(key="exchange.recovery_s", kind=Kind.INTEGER, default=None, minimum=0, maximum=86_400,
            help="length of the cancel-only phase after a start; default: as the journal was made, 0"),
    Setting(key="exchange.snapshot_interval_s", kind=Kind.INTEGER, default=0, minimum=0, maximum=7 * 86_400,
            help="time between snapshots while it runs, each a pause of the order path; 0: only when it stops"),
    Setting(key="read_model.url", kind=Kind.TEXT, default="", option="--read-model",
            help="database URL of the read model; default: a SQLite file beside the journal"),
    Setting(key="read_model.lag_max", kind=Kind.INTEGER, default=READ_MODEL_LAG_MAX, minimum=1,
            help="commands the read model may be behind before the exchange is not ready"),
    Setting(key="server.host", kind=Kind.TEXT, default=DEFAULT_HOST, option="--host", help="address to listen on"),
    Setting(key="server.port", kind=Kind.INTEGER, default=None, minimum=1, maximum=65_535, option="--port",
            help="port to listen on; default: 8765 or the next free one"),
    Setting(key="server.public_names", kind=Kind.LIST, default=(), option="--public-name",
            help="host:port under which clients reach the exchange; default: this machine's names"),
    Setting(key="server.origins", kind=Kind.LIST, default=(), option="--origin",
            help="origins (https://desk.example) whose pages may connect besides the exchange's own"),
    Setting(key="server.metrics_allow", kind=Kind.LIST, default=LOOPBACK, help="networks that may read /metrics"),
    Setting(key="server.shutdown_timeout_s", kind=Kind.INTEGER, default=SHUTDOWN_TIMEOUT_S, minimum=1, maximum=600,
            help="how long each step of a shutdown waits for clients"),
    Setting(key="server.disk_free_min_mib", kind=Kind.INTEGER, default=DISK_FREE_MIN_BYTES // _MIB, minimum=0,
            help="room under the journal below which the exchange is not ready"),
    Setting(key="tls.certificate", kind=Kind.TEXT, default="", option="--tls-cert",
            help="certificate chain in PEM; with tls.key the exchange speaks TLS"),
    Setting(key="tls.key", kind=Kind.TEXT, default="", option="--tls-key", help="private key of the certificate in PEM, without a password"),
    Setting(key="tls.development_directory", kind=Kind.TEXT, default="", option="--tls-dev",
            help="folder for a certificate of a development authority, made when there is none; not for other people's money"),
    Setting(key="log.format", kind=Kind.TEXT, default="text", option="--log-format", choices=tuple(LogFormat),
            help="lines for people, or JSON lines for programs; on standard error"),
    Setting(key="log.level", kind=Kind.TEXT, default="info", option="--log-level", choices=tuple(LogLevel), help="the least that is logged"),
    *_limit_settings(),
)  # fmt: skip
BY_KEY: Final = {setting.key: setting for setting in SETTINGS}


def limits_from(values: dict[str, Value]) -> Limits:
    """Limits of resolved settings."""
    defaults = Limits()
    chosen = {}
    for field in fields(Limits):
        if isinstance(getattr(defaults, field.name), Rate):
            chosen[field.name] = Rate(values[f"limits.{field.name}_per_s"], values[f"limits.{field.name}_burst"])  # type: ignore[arg-type]
        else:
            chosen[field.name] = values[f"limits.{field.name}"]  # type: ignore[assignment]
    return Limits(**chosen)  # type: ignore[arg-type]
