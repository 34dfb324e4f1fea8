"""Settings of one exchange, fixed in the document of its genesis: they are part of what the fold is a function of."""

import msgspec

from exchange.errors import InputError
from exchange.order_path.level import LEVEL_NOW, Level
from exchange.units import NS_PER_HOUR


class ExchangeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`retention_ns`: how long an idempotency key outlives its order. `recovery_ns`: length of the cancel-only phase after a restart.

    Outside a simulation, instruments of the venue national_simulated are refused: they are models of national markets without legal transfer.
    Instruments of the venue internal need an approval that the operator states (docs/rules.md, "Venues"): a park is not an approved exchange.

    `approval`: single, for a park with one operator, or four_eyes (docs/rules.md, "Four eyes"); rules that are changed later hold from then on.
    `operator_persons` names who holds the operator keys of the genesis, in their order. `level`: see exchange.order_path.level.
    """

    retention_ns: int = 48 * NS_PER_HOUR
    recovery_ns: int = 0
    simulation: bool = True
    internal_trading_approval: str = ""
    approval: str = "single"
    operator_persons: tuple[str, ...] = ()
    level: int = LEVEL_NOW

    def persons_of(self, n_keys: int) -> tuple[str, ...]:
        """Who holds each of the `n_keys` operator keys of the genesis; empty where nobody is named.

        Raises InputError for a park that could not act.
        """
        if self.approval not in {"single", "four_eyes"}:
            raise InputError("approval is single or four_eyes")
        if self.approval == "four_eyes" and len(set(self.operator_persons) - {""}) < 2:
            raise InputError("four eyes need operator keys of two named persons")
        if self.operator_persons and len(self.operator_persons) != n_keys:
            raise InputError("every operator key of the genesis has one person")
        return self.operator_persons or ("",) * n_keys


def encode_settings(settings: ExchangeSettings) -> bytes:
    """Canonical bytes for `Genesis.document`."""
    return msgspec.msgpack.encode(settings, order="deterministic")


def decode_settings(document: bytes) -> ExchangeSettings:
    """Inverse of `encode_settings`; an empty document means the defaults. One that says no level is of before there were any.

    Raises InputError, also for a level that this program does not know.
    """
    try:
        fields = msgspec.msgpack.decode(document) if document else {}
        settings = msgspec.convert({"level": int(Level.TRADING)} | fields, type=ExchangeSettings)
    except (msgspec.MsgspecError, TypeError) as error:
        raise InputError("genesis document is not a settings document") from error
    if not 0 <= settings.level <= LEVEL_NOW:
        raise InputError(f"the journal begins at level {settings.level}, this program knows up to {int(LEVEL_NOW)}")
    return settings
