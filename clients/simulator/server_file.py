"""What the server of a demo is started with; apart from the server, so that whoever writes it need not load the exchange."""

import msgspec


class ServerFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a server is started with. No `port`: the default one or the next free one. Times are ns; market time runs in steps of `turn_ns`."""

    park_id: str
    journal_directory: str
    read_model_url: str | None
    operator_public_key: bytes
    start_ns: int
    end_ns: int
    turn_ns: int
    port: int | None = None
    turn_timeout_s: float = 30.0
