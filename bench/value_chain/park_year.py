"""A year of one park as documents and commands, a day at a time: 100 participants, 35,040 quarter-hours, about a million trades.

60 factories, 25 of them with roof PV of their own, 25 PV plants and 15 wind turbines. Loads follow a working day, PV the sun, wind a slow random
walk; everything is integers drawn from one seed, so two runs are byte for byte the same. In every quarter-hour each of TRADES_A_PERIOD pairs of a
seller and a buyer trades once, in turn over all sellers and buyers: a resting offer and an order that meets it.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.journal.interface import Genesis
from exchange.journal.record import COMMAND, CommandKind
from exchange.order_path.settings import ExchangeSettings, encode_settings
from exchange.protocol.documents import Admit, Deposit, Document, InstrumentSpec, ListInstruments, MeterReadings, SettleDay
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, PERIOD_NS, POWER_LOT_WH, POWER_MULTIPLIER_MICRO
from matching.records import Side, TimeInForce

Int64Array = NDArray[np.int64]

DAYS: Final = 365
PERIODS: Final = 96
TRADES_A_PERIOD: Final = 29
FIRST_DAY_NS: Final = 1_767_196_800_000_000_000  # 2026-01-01 00:00 in Shanghai
OPERATOR: Final = 32
FACTORIES: Final = 60
ROOFS: Final = 25
PLANTS: Final = 25
TURBINES: Final = 15
CASH_MICRO: Final = 2**50
_LIMIT_LOTS: Final = 2**30
_LOSS_PERMILLE: Final = 12
_PRICES: Final = (3_000, 5_500)
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One participant. Capacities in W, 0 where there is nothing of the kind."""

    name: str
    role: str
    load_w: int = 0
    pv_w: int = 0
    wind_w: int = 0


def members() -> list[Member]:
    """All participants, in the order of their accounts."""
    factories = [
        Member(name=f"E{i:03}", role="prosumer" if i < ROOFS else "enterprise", load_w=200_000 + 9_000 * i, pv_w=150_000 if i < ROOFS else 0)
        for i in range(FACTORIES)
    ]
    plants = [Member(name=f"PV{i:02}", role="generator", pv_w=400_000 + 20_000 * i) for i in range(PLANTS)]
    return [*factories, *plants, *(Member(name=f"W{i:02}", role="generator", wind_w=300_000 + 20_000 * i) for i in range(TURBINES))]


def genesis() -> Genesis:
    """Of the year's journal: always the same."""
    settings = encode_settings(ExchangeSettings(retention_ns=NS_PER_HOUR))
    return Genesis(park_id="park-year", hash_key=bytes(range(32)), engine_version="bench", operator_keys=(bytes(32),), document=settings)


def opening_documents() -> list[Document]:
    """Admissions, devices and money; accounts follow the operator's in this order, devices from 1 on."""
    documents: list[Document] = []
    for number, member in enumerate(members()):
        permissions = ["power_buy", "power_sell"]
        documents.append(
            Admit(name=member.name, role=member.role, permissions=permissions, min_net_power_lots=-_LIMIT_LOTS, max_net_power_lots=_LIMIT_LOTS)
        )
        account = OPERATOR + 1 + number
        if member.pv_w or member.wind_w:
            kind, capacity_w = ("pv", member.pv_w) if member.pv_w else ("wind", member.wind_w)
            documents.append(
                RegisterDevice(account=account, name=kind, kind=kind, capacity_w=capacity_w, commissioned_ns=FIRST_DAY_NS, scheme="granular")
            )
        documents.append(Deposit(account=account, amount_micro=CASH_MICRO, reference="opening"))
    return documents


class ParkYear:
    """The days of the year one after the other. Arrays are int64[members, 96], Wh of a quarter-hour."""

    def __init__(self, seed: int = 1) -> None:
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._members = members()
        self._wind_permille: Int64Array = np.full(TURBINES, 400, np.int64)
        self._first_client_order = 0
        self.accounts: Int64Array = np.arange(len(self._members)) + OPERATOR + 1

    def listing(self, day: int) -> ListInstruments:
        """The contracts of one day, open from 16:00 of the day before."""
        start_ns = FIRST_DAY_NS + day * NS_PER_DAY
        open_ns = start_ns - 8 * NS_PER_HOUR
        return ListInstruments(instruments=[_contract(day, index, start_ns + index * PERIOD_NS, open_ns) for index in range(PERIODS)])

    def energies(self, day: int) -> tuple[Int64Array, Int64Array]:
        """(consumption, generation) of the day."""
        hours = np.arange(PERIODS) // 4
        working = np.where((hours >= 7) & (hours < 19), 900, 450)
        sun = np.maximum(0, 1000 - ((np.arange(PERIODS) - 49) ** 2) * 1000 // 24**2) * (100 - abs(day - 172) * 40 // 172) // 100
        clouds = self._rng.integers(300, 1000)
        shape = (len(self._members), PERIODS)
        noise = self._rng.integers(900, 1100, shape)
        consumption, generation = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        steps = self._rng.integers(-60, 61, (TURBINES, PERIODS))
        for row, member in enumerate(self._members):
            consumption[row] = member.load_w // 4 * working // 1000 * noise[row] // 1000
            generation[row] = member.pv_w // 4 * sun // 1000 * clouds // 1000 * np.minimum(noise[row], 1000) // 1000
            if member.wind_w:
                at = row - (len(self._members) - TURBINES)
                walk = np.clip(self._wind_permille[at] + np.cumsum(steps[at]), 0, 950)
                self._wind_permille[at] = walk[-1]
                generation[row] = member.wind_w // 4 * walk // 1000
        return consumption, generation

    def orders(self, instruments: list[int], net_wh: Int64Array, stamp_ns: int) -> NDArray[np.void]:
        """COMMAND records of the day's trades: for each pair an offer and the order that meets it. `net_wh` is what members expect to inject."""
        n = PERIODS * TRADES_A_PERIOD
        sellers, buyers, lots = (np.zeros(n, np.int64) for _ in range(3))
        for period in range(PERIODS):
            cut = slice(period * TRADES_A_PERIOD, (period + 1) * TRADES_A_PERIOD)
            selling, buying = np.flatnonzero(net_wh[:, period] > 0), np.flatnonzero(net_wh[:, period] < 0)
            if not selling.size:
                selling = np.arange(len(self._members) - TURBINES, len(self._members))
            pairs = np.arange(TRADES_A_PERIOD)
            sellers[cut], buyers[cut] = selling[(pairs + period) % selling.size], buying[pairs % buying.size]
            lots[cut] = np.maximum(np.abs(net_wh[sellers[cut], period]) * selling.size // (TRADES_A_PERIOD * POWER_LOT_WH), 1)
        records = np.zeros(2 * n, COMMAND)
        records["kind"], records["version"], records["stamp_ns"] = CommandKind.PLACE, 1, stamp_ns
        records["instrument"] = np.repeat(np.array(instruments), 2 * TRADES_A_PERIOD)
        records["price_ticks"] = np.repeat(self._rng.integers(*_PRICES, n), 2)
        records["quantity_lots"] = np.repeat(lots, 2)
        records["account"][0::2], records["account"][1::2] = self.accounts[sellers], self.accounts[buyers]
        records["side"][0::2], records["side"][1::2] = int(Side.SELL), int(Side.BUY)
        records["time_in_force"][0::2], records["time_in_force"][1::2] = int(TimeInForce.GTC), int(TimeInForce.IOC)
        records["client_order_id"] = self._client_order_ids(2 * n)
        return records

    def readings(self, day: int, consumption: Int64Array, generation: Int64Array) -> MeterReadings:
        """What the meters of the day showed, with the grid's and the losses, which balance."""
        starts = (FIRST_DAY_NS + day * NS_PER_DAY + np.arange(PERIODS) * PERIOD_NS).tolist()
        losses = consumption.sum(axis=0) * _LOSS_PERMILLE // 1000
        net = consumption.sum(axis=0) + losses - generation.sum(axis=0)
        n = len(self._members)
        return MeterReadings(
            revision=1, accounts=np.tile(self.accounts, PERIODS).tolist(), period_starts_ns=np.repeat(np.array(starts), n).tolist(),
            consumption_wh=consumption.T.reshape(-1).tolist(), generation_wh=generation.T.reshape(-1).tolist(), soc_wh=[-1] * (n * PERIODS),
            grid_starts_ns=starts, grid_import_wh=np.maximum(net, 0).tolist(), grid_export_wh=np.maximum(-net, 0).tolist(), losses_wh=losses.tolist(),
        )  # fmt: skip

    def settlement(self, day: int) -> SettleDay:
        start_ns = FIRST_DAY_NS + day * NS_PER_DAY
        return SettleDay(day=_name(day), day_start_ns=start_ns, day_end_ns=start_ns + NS_PER_DAY)

    def _client_order_ids(self, n: int) -> NDArray[Any]:
        numbers = self._first_client_order + np.arange(n)
        self._first_client_order += n
        digits = numbers[:, None] // 10 ** np.arange(_DIGITS - 1, -1, -1) % 10
        return (digits + ord("0")).astype(np.uint8).view(f"S{_DIGITS}").reshape(n)


def _name(day: int) -> str:
    return str(np.datetime64("2026-01-01") + np.timedelta64(day, "D"))


def _contract(day: int, index: int, start_ns: int, open_ns: int) -> InstrumentSpec:
    hour, minute = divmod(15 * index, 60)
    return InstrumentSpec(
        symbol=f"GP-{_name(day).replace('-', '')}-{hour:02}{minute:02}", instrument_class="power", venue="park", calendar="continuous",
        price_decimals=4, quantity_decimals=1, multiplier_micro=POWER_MULTIPLIER_MICRO, unit="kWh", min_price_ticks=100, max_price_ticks=20_000,
        band_low_ticks=100, band_high_ticks=20_000, max_order_lots=1_000_000, maker_fee_lot_micro=100, taker_fee_lot_micro=200,
        park_fee_lot_micro=4_000, deficit_price_ticks=6_500, surplus_price_ticks=2_800, environment_price_ticks=60, delivery_start_ns=start_ns,
        delivery_end_ns=start_ns + PERIOD_NS, open_ns=open_ns, close_ns=start_ns - 5 * NS_PER_MINUTE,
    )  # fmt: skip
