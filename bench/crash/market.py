"""The market that is crashed: four members who may all buy and sell, three quarter-hours, on wall time."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clients.sdk import connect
from clients.sdk.credentials import Credentials, public_key_of
from exchange.journal.interface import Genesis
from exchange.protocol.documents import Admit, Deposit, InstrumentSpec, Key, ListInstruments
from exchange.service import new_genesis
from exchange.units import NS_PER_HOUR, PERIOD_NS, POWER_MULTIPLIER_MICRO

OPERATOR: Final = "operator"
# Name of a member, and whether its orders end with its session.
MEMBERS: Final = {"M01": False, "M02": True, "M03": False, "M04": True}
SYMBOLS: Final = ("GP-CRASH-1", "GP-CRASH-2", "GP-CRASH-3")
PRICE_DECIMALS: Final = 4
QUANTITY_DECIMALS: Final = 1
DEPOSIT_MICRO: Final = 2**49
_NET_LOTS_MAX: Final = 2**40


def key_of(name: str) -> Ed25519PrivateKey:
    """The same private key for the same name: this market holds nothing of value."""
    return Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"."))


def credentials_of(member: str) -> Credentials:
    return Credentials(member, key_of(member), MEMBERS[member])


def genesis() -> Genesis:
    return new_genesis("crash", (public_key_of(key_of(OPERATOR)),))


def contract(number: int, now_ns: int) -> InstrumentSpec:
    """Quarter-hour `number`, open now and for the next hours, with fees on both sides."""
    start_ns = (now_ns // PERIOD_NS + number) * PERIOD_NS + 8 * NS_PER_HOUR
    return InstrumentSpec(
        symbol=SYMBOLS[number], instrument_class="power", venue="park", calendar="continuous", price_decimals=PRICE_DECIMALS,
        quantity_decimals=QUANTITY_DECIMALS, multiplier_micro=POWER_MULTIPLIER_MICRO, unit="kWh", min_price_ticks=0, max_price_ticks=20_000,
        band_low_ticks=0, band_high_ticks=20_000, max_order_lots=1_000_000, maker_fee_lot_micro=20, taker_fee_lot_micro=50, park_fee_lot_micro=4_000,
        deficit_price_ticks=6_500, surplus_price_ticks=2_800, delivery_start_ns=start_ns, delivery_end_ns=start_ns + PERIOD_NS,
        open_ns=now_ns - NS_PER_HOUR, close_ns=start_ns,
    )  # fmt: skip


async def open_market(url: str, now_ns: int) -> dict[str, int]:
    """Admit the members, fund them, list the contracts; the members' accounts."""
    accounts: dict[str, int] = {}
    async with connect(url, key_id=OPERATOR, private_key=key_of(OPERATOR)) as operator:
        for name in MEMBERS:
            key = Key(key_id=name, public_key=public_key_of(key_of(name)), scopes=["read", "trade"])
            answer = await operator.submit(
                Admit(
                    name=name, role="prosumer", permissions=["power_buy", "power_sell"], min_net_power_lots=-_NET_LOTS_MAX,
                    max_net_power_lots=_NET_LOTS_MAX, keys=[key],
                )
            )  # fmt: skip
            accounts[name] = int(answer["account"])
            await operator.submit(Deposit(account=accounts[name], amount_micro=DEPOSIT_MICRO, reference="opening"))
        await operator.submit(ListInstruments(instruments=[contract(number, now_ns) for number in range(len(SYMBOLS))]))
    return accounts
