"""The park of a simulation: members with keys and money, quarter-hours of power of a day and a half, a block, an allowance."""

from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clients.sdk.client import ParkClient
from clients.sdk.credentials import public_key_of
from exchange.journal.interface import Genesis
from exchange.order_path.settings import ExchangeSettings, encode_settings
from exchange.protocol.documents import Admit, Deposit, InstrumentSpec, IssueUnits, Key, ListInstruments
from exchange.units import NS_PER_HOUR, NS_PER_MINUTE, PERIOD_NS, POWER_MULTIPLIER_MICRO

START_NS: Final = 1_784_044_800_000_000_000 + 6 * NS_PER_HOUR  # 2026-07-15 06:00 in Shanghai
UNITS: Final = "CEA25"
CASH_MICRO: Final = 10**13
_NET_LOTS: Final = 10**7
_CALL_NS: Final = 10 * NS_PER_MINUTE


@dataclass(frozen=True)
class Member:
    name: str
    role: str
    low_lots: int
    high_lots: int

    @property
    def private_key(self) -> Ed25519PrivateKey:
        """The same key for the same name."""
        return Ed25519PrivateKey.from_private_bytes(self.name.encode().ljust(32, b"."))


OPERATOR: Final = Member("operator", "operator", 0, 0)
MEMBERS: Final = (
    Member("E01", "enterprise", 0, _NET_LOTS), Member("E02", "enterprise", 0, _NET_LOTS), Member("PV01", "generator", -_NET_LOTS, 0),
    Member("PV02", "generator", -_NET_LOTS, 0), Member("MM01", "market_maker", -_NET_LOTS, _NET_LOTS),
    Member("MM02", "market_maker", -_NET_LOTS, _NET_LOTS),
)  # fmt: skip
_PERMISSIONS: Final = ["power_buy", "power_sell", "cea_buy", "cea_sell"]


def genesis(recovery_ns: int) -> Genesis:
    """Idempotency keys are kept for half an hour only, so that their retention ends within a run."""
    settings = encode_settings(ExchangeSettings(retention_ns=NS_PER_HOUR // 2, recovery_ns=recovery_ns))
    return Genesis(
        park_id="chaos", hash_key=bytes(range(16)), engine_version="chaos", operator_keys=(public_key_of(OPERATOR.private_key),), document=settings
    )


def power(index: int) -> InstrumentSpec:
    """The quarter-hour that begins so many quarter-hours after the start. Every third one opens with a call, and every fourth has an interruption."""
    start_ns = START_NS + index * PERIOD_NS
    auctions: dict[str, Any] = {}
    if index % 3 == 0:
        auctions |= {"opening_auction_ns": _CALL_NS, "auction_price_rule": "k"}
    if index % 4 == 0:
        auctions |= {"interruption_ppm": 100_000, "interruption_ns": _CALL_NS // 2, "reference_price_ticks": 4_500}
    return InstrumentSpec(
        symbol=f"GP-{index:03d}", instrument_class="power", venue="park", calendar="continuous", price_decimals=4, quantity_decimals=1,
        multiplier_micro=POWER_MULTIPLIER_MICRO, unit="kWh", min_price_ticks=0, max_price_ticks=30_000, band_low_ticks=1_000, band_high_ticks=20_000,
        max_order_lots=1_000_000, maker_fee_lot_micro=20, taker_fee_lot_micro=50, park_fee_lot_micro=4_000, deficit_price_ticks=12_000,
        surplus_price_ticks=2_800, delivery_start_ns=start_ns, delivery_end_ns=start_ns + PERIOD_NS,
        open_ns=max(START_NS, start_ns - 4 * NS_PER_HOUR), close_ns=start_ns - 5 * NS_PER_MINUTE, **auctions,
    )  # fmt: skip


def allowance() -> InstrumentSpec:
    return InstrumentSpec(
        symbol=UNITS, instrument_class="cea", venue="national_simulated", calendar="continuous", price_decimals=2, quantity_decimals=0,
        multiplier_micro=10_000, unit="t", min_price_ticks=1, max_price_ticks=100_000, band_low_ticks=5_580, band_high_ticks=6_820,
        max_order_lots=100_000, resale="next_day", taker_fee_tick_lot_micro=5,
    )  # fmt: skip


async def open_market(operator: ParkClient, hours: int) -> list[str]:
    """Admit the members and list what trades; returns the symbols of the quarter-hours by their gate."""
    for member in MEMBERS:
        key = Key(key_id=member.name, public_key=public_key_of(member.private_key), scopes=["read", "trade"])
        answer = await operator.submit(
            Admit(
                name=member.name, role=member.role, permissions=_PERMISSIONS, min_net_power_lots=member.low_lots,
                max_net_power_lots=member.high_lots, keys=[key],
            )
        )  # fmt: skip
        await operator.submit(Deposit(account=answer["account"], amount_micro=CASH_MICRO, reference="opening"))
    # Contracts go on beyond the end, so that there is always something to trade.
    contracts = [power(index) for index in range(2, 4 * hours + 10)]
    await operator.submit(ListInstruments(instruments=[*contracts, allowance()]))
    for account in range(33, 33 + len(MEMBERS)):
        await operator.submit(IssueUnits(account=account, symbol=UNITS, quantity_lots=5_000, reference="opening"))
    return [contract.symbol for contract in contracts]
