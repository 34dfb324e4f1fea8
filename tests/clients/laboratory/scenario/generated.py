"""Scenarios that hypothesis makes, of every kind of participant and rule that a file can say."""

import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import strategies as st

from clients.laboratory.scenario import model
from clients.laboratory.scenario.names import (
    IMBALANCES,
    MECHANISMS,
    OUTAGE_KINDS,
    POPULATIONS,
    SCHEMES,
    SELF_TRADES,
    SHARINGS,
    STORAGE_PLANS,
    TIES,
    TRANSPARENCIES,
)
from clients.scenarios.instruments import price_band
from clients.scenarios.model import Storage, UnitInstrument, UnitProgramme
from clients.scenarios.noise import NoiseClass
from clients.scenarios.tariff import Tariff, TariffVersion
from exchange.accounts.permissions import ROLE_PERMISSIONS, Permission, Role
from exchange.carbon.packaged import grid_factors
from exchange.protocol.value_chain.accounting import EmissionFactor

ZONE: Final = ZoneInfo("Asia/Shanghai")
TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAME: Final = st.text("abcxyzABC019_-.~ 园\"\\'#=", min_size=1, max_size=8)
PPM: Final = st.integers(0, 1_000_000)
MICRO: Final = st.integers(0, 10**12)
QUARTER: Final = st.integers(0, 95)
SHAPES: Final = ("one_shift", "two_shift", "three_shift", "valley_shift", "commercial")


def at(quarter: int) -> datetime.time:
    """A local time on a quarter-hour; 96 is midnight at the end."""
    return datetime.time(quarter % 96 // 4, quarter % 4 * 15)


@st.composite
def markets(draw: st.DrawFn) -> model.MarketRules:
    low = draw(st.integers(0, 5000))
    high = low + draw(st.integers(1, 30_000))
    lots = draw(st.integers(1, 10**6))
    rounds = sorted(draw(st.sets(st.integers(0, 2000), min_size=1, max_size=6)), reverse=True)
    return model.MarketRules(
        mechanism=draw(st.sampled_from(MECHANISMS)), k_ppm=draw(PPM), tie=draw(st.sampled_from(TIES)),
        opens=datetime.time(draw(st.integers(0, 20)), draw(st.integers(0, 59))), opening_auction_minutes=draw(st.integers(0, 30)),
        gate_closure_minutes=draw(st.integers(0, 60)), day_ahead_rounds=draw(st.integers(0, 4)), day_ahead_minutes=draw(st.integers(0, 15)),
        rounds_before_gate_minutes=tuple(rounds), tick_step=draw(st.integers(1, high - low)), lot_step=draw(st.integers(1, lots)),
        min_price_ticks=low, max_price_ticks=high, max_order_lots=lots, maker_fee_micro_per_kwh=draw(MICRO), taker_fee_micro_per_kwh=draw(MICRO),
        park_fee_micro_per_kwh=draw(MICRO), environment_micro_per_kwh=draw(MICRO), self_trade=draw(st.sampled_from(SELF_TRADES)),
        transparency=draw(st.sampled_from(TRANSPARENCIES)),
    )  # fmt: skip


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    """Steps at random times, months alike or not."""
    versions = []
    for date in sorted(draw(st.sets(st.dates(datetime.date(2000, 1, 1), datetime.date(2025, 1, 1)), min_size=1, max_size=2))):
        seed = draw(st.integers(0, 2**32))
        generator = np.random.default_rng(seed)
        feed_in = np.repeat(generator.integers(0, 10**6, (12, draw(st.sampled_from([1, 4])))), 96, axis=1)[:, :96]
        retail = feed_in + np.repeat(generator.integers(0, 10**6, (1, 8)), 12, axis=1)[:, :96] % draw(st.integers(1, 10**6))
        if draw(st.booleans()):
            feed_in[:], retail[:] = feed_in[:1], retail[:1]
        bands = tuple("".join(row) for row in generator.choice(list(draw(st.sampled_from([" ", "VFPS"]))), (12, 96)).tolist())
        versions.append(TariffVersion(date, retail.astype(np.int64), feed_in.astype(np.int64), bands))
    return Tariff(draw(TEXT), draw(TEXT), draw(TEXT), draw(TEXT), ZONE, tuple(versions))


FACTORS: Final = st.sampled_from(grid_factors()) | st.builds(
    EmissionFactor, publisher=TEXT, year=st.integers(1990, 2030), region=TEXT, kind=TEXT, mg_per_kwh=st.integers(0, 10**7)
)
AGENTS: Final = st.builds(
    model.AgentChoice, name=st.sampled_from(POPULATIONS), parameters=st.dictionaries(
        st.text("abc_", min_size=1, max_size=4).filter(lambda key: key != "name"), st.integers(-(2**62), 2**62) | st.booleans() | TEXT, max_size=2
    ),
)  # fmt: skip
ASSETS: Final = st.builds(
    model.Asset, capex_micro=MICRO, operation_micro_per_year=MICRO, debt_ppm=PPM, rate_ppm=PPM, years=st.integers(1, 100),
    life_years=st.integers(1, 100),
)  # fmt: skip
VALUATIONS: Final = st.builds(
    model.Valuation, willingness_ppm=st.integers(0, 2_000_000) | st.integers(0, 1000).map(lambda share: 1000 * share),
    green_premium_micro_per_kwh=MICRO, cost_micro_per_kwh=MICRO, spread_ppm=PPM,
)  # fmt: skip


POLICIES: Final = st.builds(model.StoragePolicy, plan=st.sampled_from(STORAGE_PLANS), charges_from_grid=st.booleans())


@st.composite
def storages(draw: st.DrawFn) -> Storage:
    low, start, high, energy = sorted(draw(st.lists(st.integers(1, 10**6), min_size=4, max_size=4)))
    power, charge, discharge = draw(st.tuples(*3 * [st.integers(1, 10**6)]))
    return Storage(1000 * energy, 1000 * power, 1000 * low, 1000 * high, 1000 * start, charge, discharge)


@st.composite
def fleets(draw: st.DrawFn) -> model.EvFleet:
    arrival, departure = sorted(draw(st.lists(st.integers(0, 96), min_size=2, max_size=2, unique=True)))
    power_w = draw(st.integers(0, 10**8))
    return model.EvFleet(
        energy_wh=draw(st.integers(0, power_w * (departure - arrival) // 4)), power_w=power_w, arrival=at(arrival), departure=at(departure)
    )


@st.composite
def participants(draw: st.DrawFn, name: str, noises: list[str], adders: dict[str, int], symbols: list[str]) -> model.Participant:
    role = draw(st.sampled_from([role for role in Role if role is not Role.OPERATOR]))
    allowed = [permission.name.lower() for permission in Permission if permission & ROLE_PERMISSIONS[role] and permission.name]
    connection_kw = draw(st.integers(1, 10**6))
    load = generation = flexible = ev = None
    if draw(st.booleans()):
        cut = draw(st.integers(0, 1000))
        shapes = {SHAPES[draw(st.integers(0, 1))]: cut, SHAPES[draw(st.integers(2, 4))]: 1000 - cut}
        load = model.LoadProfile(annual_mwh=draw(st.integers(0, 10**7)), shapes_permille=shapes, noise=draw(st.sampled_from(noises)))
        shift = {"shift_periods": draw(st.integers(1, 96)), "cost_micro_per_kwh": draw(MICRO)}
        flexible = draw(st.none() | st.integers(1, 10**6).map(lambda share: model.FlexibleLoad(share_ppm=share, **shift)))
    if draw(st.booleans()):
        series = draw(st.sampled_from(["pv_south", "pv_east_west", "wind"]))
        noise = draw(st.sampled_from(noises))
        generation = model.GenerationProfile(series=series, kind=series.split("_")[0], peak_kw=draw(st.integers(1, 10**6)), noise=noise)
    if draw(st.booleans()):
        ev = draw(fleets())
    holdings = {symbol: draw(st.integers(0, 10**9)) for symbol in symbols if draw(st.booleans())}
    voltage = draw(st.sampled_from(sorted(adders)))
    return model.Participant(
        id=name, name_en=draw(TEXT), name_zh=draw(TEXT), role=role.value,
        permissions=tuple(draw(st.lists(st.sampled_from(allowed), unique=True))) if allowed else (),
        voltage_kv=voltage, voltage_adder_micro_per_kwh=adders[voltage], connection_kw=connection_kw, cash_micro=draw(MICRO), load=load,
        generation=generation, storage=draw(st.none() | storages()), storage_policy=draw(POLICIES), flexible=flexible, ev=ev,
        valuation=draw(VALUATIONS), agent=draw(AGENTS),
        asset=draw(st.none() | ASSETS), holdings_lots=holdings,
        programmes=tuple(
            UnitProgramme(symbol, sign * draw(st.integers(1, max(1, lots))), 5000, 5000 + sign * draw(st.integers(0, 500)))
            for symbol, lots in holdings.items() for sign in draw(st.sampled_from([(), (1,), (-1,) if lots else (), (1, 1)]))
        ),
        min_net_power_lots=-draw(st.integers(0, 10**7)), max_net_power_lots=draw(st.integers(0, 10**7)),
    )  # fmt: skip


def instrument(symbol: str, close: int, permille: int, names: list[str], fee: int) -> UnitInstrument:
    low, high = price_band(close, permille)
    return UnitInstrument(
        symbol, names[0], names[1], "ccer", "national_simulated", "cea", "next_day", "tCO2e", close, low, high, 99_999, fee, 2 * fee
    )


@st.composite
def scenarios(draw: st.DrawFn) -> model.Scenario:
    """Any scenario that a file can say."""
    keys = draw(st.lists(NAME, min_size=1, max_size=3, unique=True))
    noises = {key: NoiseClass(key, *draw(st.tuples(PPM, PPM, PPM, PPM, PPM))) for key in keys}
    adders = draw(st.dictionaries(NAME, MICRO, min_size=1, max_size=3))
    symbols = draw(st.lists(st.sampled_from(["CCER", "CCER-2", "PCC 3", "园.4"]), unique=True))
    members = tuple(draw(participants(name, keys, adders, symbols)) for name in draw(st.lists(NAME, min_size=1, max_size=4, unique=True)))
    horizons = sorted(draw(st.sets(st.integers(0, 3000), min_size=1, max_size=5)), reverse=True)
    unknown = sorted(draw(st.lists(PPM, min_size=len(horizons), max_size=len(horizons))), reverse=True)
    days = draw(st.integers(1, 400))
    network: dict[str, Any] = {"import_limit_kw": draw(st.integers(0, 10**6)), "export_limit_kw": draw(st.integers(0, 10**6))}
    return model.Scenario(
        name=draw(TEXT.filter(bool)), name_en=draw(TEXT), name_zh=draw(TEXT), zone=ZONE,
        first_date=draw(st.dates(datetime.date(2025, 1, 1), datetime.date(2090, 1, 1))), days=days, seed=draw(st.integers(0, 2**63 - 1)),
        tariff=draw(tariffs()), market=draw(markets()),
        imbalance=model.ImbalanceRules(imbalance=draw(st.sampled_from(IMBALANCES)), alpha_ppm=draw(PPM)),
        forecast=model.ForecastRules(horizon_minutes=tuple(horizons), unknown_ppm=tuple(unknown), error_ppm=draw(st.integers(0, 10**7))),
        noises=noises, network=model.Network(loss_ppm=draw(PPM), **network),
        carbon=model.CarbonRules(factor=draw(FACTORS), residual=draw(FACTORS), scheme=draw(st.sampled_from(SCHEMES))),
        sharing=model.SharingRules(rule=draw(st.sampled_from(SHARINGS)), operator_ppm=draw(PPM)), soc_value_micro_per_kwh=draw(MICRO),
        participants=members,
        instruments=tuple(instrument(symbol, draw(st.integers(1, 10**6)), draw(st.integers(1, 999)), ["A", "甲"], 3) for symbol in symbols),
        outages=tuple(draw(outages(members, days)) for _ in range(draw(st.integers(0, 2)))),
    )  # fmt: skip


@st.composite
def outages(draw: st.DrawFn, members: tuple[model.Participant, ...], days: int) -> model.Outage:
    what = draw(st.sampled_from(OUTAGE_KINDS))
    holders = [entry.id for entry in members if (entry.load if what == "load" else entry.generation)]
    first, last = sorted(draw(st.lists(st.integers(0, days - 1), min_size=2, max_size=2)))
    begins, ends = sorted(draw(st.lists(st.integers(0, 96), min_size=2, max_size=2, unique=True)))
    return model.Outage(
        participant=draw(st.sampled_from([*holders, "pv", "wind"])), first_day=first, last_day=last, begins=at(begins), ends=at(ends),
        available_ppm=draw(PPM), what=what, forecast_ppm=draw(PPM),
    )  # fmt: skip
