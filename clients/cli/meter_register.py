"""`parkex meter register`: one document of the operator."""

from typing import Final

from clients.cli.keys_commands import Desk, act, parse_time
from clients.scenarios.decimals import DecimalProblemError, parse_scaled
from exchange.errors import InputError
from exchange.protocol.value_chain.metering import RegisterDevice

_W_DECIMALS: Final = 3  # of a kW


def register_device(
    desk: Desk, account: int, name: str, kind: str, capacity_kw: str, commissioned: str, scheme: str, location: str, *, ets_source: bool
) -> None:
    """Raises InputError for what cannot be read and what the exchange refuses."""
    act(desk, device_document(account, name, kind, capacity_kw, commissioned, scheme, location, ets_source=ets_source))


def device_document(
    account: int, name: str, kind: str, capacity_kw: str, commissioned: str, scheme: str, location: str, *, ets_source: bool
) -> RegisterDevice:
    """The document of the options. Raises InputError."""
    try:
        capacity_w = parse_scaled(capacity_kw, _W_DECIMALS)
    except DecimalProblemError as error:
        raise InputError(f"--capacity-kw: {error}") from error
    return RegisterDevice(
        account=account, name=name, kind=kind, capacity_w=capacity_w, commissioned_ns=parse_time(commissioned), scheme=scheme, location=location,
        ets_source=ets_source,
    )  # fmt: skip
