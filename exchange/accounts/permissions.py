"""Roles and what they may do (docs/rules.md, section "Roles"): who operates does not trade, who verifies does not hold."""

from enum import IntFlag, StrEnum
from typing import Final

from exchange.protocol.instrument_class import InstrumentClass


class Permission(IntFlag):
    """One buy and one sell bit for each instrument class: bit 2c buys class c, bit 2c+1 sells it."""

    NONE = 0
    POWER_BUY = 1
    POWER_SELL = 2
    GEC_BUY = 4
    GEC_SELL = 8
    CEA_BUY = 16
    CEA_SELL = 32
    CCER_BUY = 64
    CCER_SELL = 128
    PCC_BUY = 256
    PCC_SELL = 512


def trade_permission(instrument_class: InstrumentClass, side: int) -> Permission:
    """The permission that buying (side 0) or selling (side 1) a class needs."""
    return Permission(1 << (2 * instrument_class + side))


class Role(StrEnum):
    OPERATOR = "operator"
    ENTERPRISE = "enterprise"
    GENERATOR = "generator"
    PROSUMER = "prosumer"
    STORAGE = "storage"
    MARKET_MAKER = "market_maker"
    ESCO = "esco"
    BANK = "bank"
    VERIFIER = "verifier"
    REGISTRAR = "registrar"
    REGULATOR = "regulator"
    AUDITOR = "auditor"


_CREDITS: Final = Permission.CEA_BUY | Permission.CEA_SELL | Permission.CCER_BUY | Permission.CCER_SELL | Permission.PCC_BUY | Permission.PCC_SELL
_POWER: Final = Permission.POWER_BUY | Permission.POWER_SELL
_ALL: Final = _POWER | Permission.GEC_BUY | Permission.GEC_SELL | _CREDITS

# The most a role can be given. A market maker never sells certificates: they change hands once, from their issuer.
ROLE_PERMISSIONS: Final[dict[Role, Permission]] = {
    Role.OPERATOR: Permission.NONE,
    Role.ENTERPRISE: _ALL,
    Role.GENERATOR: _ALL,
    Role.PROSUMER: _ALL,
    Role.STORAGE: _POWER | _CREDITS,
    Role.MARKET_MAKER: _POWER | _CREDITS,
    Role.ESCO: Permission.GEC_BUY | _CREDITS,
    Role.BANK: Permission.NONE,
    Role.VERIFIER: Permission.NONE,
    Role.REGISTRAR: Permission.NONE,
    Role.REGULATOR: Permission.NONE,
    Role.AUDITOR: Permission.NONE,
}

# Scopes a key of the role may carry: separate duties.
ROLE_SCOPES: Final[dict[Role, frozenset[str]]] = {
    Role.OPERATOR: frozenset({"read", "operate", "audit"}),
    Role.ENTERPRISE: frozenset({"read", "trade"}),
    Role.GENERATOR: frozenset({"read", "trade"}),
    Role.PROSUMER: frozenset({"read", "trade"}),
    Role.STORAGE: frozenset({"read", "trade"}),
    Role.MARKET_MAKER: frozenset({"read", "trade"}),
    Role.ESCO: frozenset({"read", "trade"}),
    Role.BANK: frozenset({"read", "trade"}),  # to release what was pledged to it; orders need permissions, which it has none of
    Role.VERIFIER: frozenset({"read", "verify"}),
    Role.REGISTRAR: frozenset({"read", "operate"}),
    Role.REGULATOR: frozenset({"read", "audit"}),
    Role.AUDITOR: frozenset({"read", "audit"}),  # reads everything and sends no document at all
}


def parse_permissions(names: list[str]) -> Permission | None:
    """Union of named permissions; None when a name is unknown."""
    mask = Permission.NONE
    for name in names:
        member = Permission.__members__.get(name.upper())
        if member is None:
            return None
        mask |= member
    return mask
