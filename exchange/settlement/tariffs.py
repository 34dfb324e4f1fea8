"""Network charges of a month and the mechanism price (docs/rules.md, "Network charges"). Integers; each line rounds half-even once."""

from typing import Final, NamedTuple

from exchange.units import PERIOD_NS, PPM, WH_PER_KWH, divide_half_even

# Hours of a month in the 1192 rule.
MONTH_HOURS: Final = 730
KINDS: Final = frozenset({"none", "capacity", "two_part"})
_PERIODS_PER_HOUR: Final = 3_600_000_000_000 // PERIOD_NS


class Tariff(NamedTuple):
    """Prices in micro-CNY; see SetTariff."""

    kind: str
    connected_kva: int
    capacity_micro_per_kva: int
    demand_micro_per_kw: int
    energy_micro_per_kwh: int
    load_factor_ppm: int
    mechanism_micro_per_kwh: int
    mechanism_share_ppm: int


class MonthUse(NamedTuple):
    """What an account's meter showed in a month, in Wh: drawn from and fed into the network, and the most drawn in a quarter-hour."""

    withdrawal_wh: int
    injection_wh: int
    peak_wh: int


class MonthCharges(NamedTuple):
    """Charges positive, in micro-CNY; the mechanism difference is what the account receives, with the energy it is for."""

    capacity_micro: int
    energy_micro: int
    demand_micro: int
    mechanism_micro: int
    mechanism_wh: int


def capacity_fee_micro(tariff: Tariff) -> int:
    """Monthly fee by the 1192 rule: capacity charge + energy price x average load factor x 730 h x connected kVA."""
    by_energy = tariff.energy_micro_per_kwh * tariff.load_factor_ppm * MONTH_HOURS * tariff.connected_kva
    return tariff.capacity_micro_per_kva * tariff.connected_kva + divide_half_even(by_energy, PPM)


def month_charges(tariff: Tariff, use: MonthUse, reference_micro_per_kwh: int) -> MonthCharges:
    """The month of one account. Demand is the average power of the quarter-hour that drew the most."""
    capacity_micro = energy_micro = demand_micro = 0
    if tariff.kind == "capacity":
        capacity_micro = capacity_fee_micro(tariff)
    elif tariff.kind == "two_part":
        capacity_micro = tariff.capacity_micro_per_kva * tariff.connected_kva
        energy_micro = divide_half_even(tariff.energy_micro_per_kwh * use.withdrawal_wh, WH_PER_KWH)
        demand_micro = divide_half_even(tariff.demand_micro_per_kw * use.peak_wh * _PERIODS_PER_HOUR, WH_PER_KWH)
    mechanism_wh = use.injection_wh * tariff.mechanism_share_ppm // PPM
    difference = tariff.mechanism_micro_per_kwh - reference_micro_per_kwh
    mechanism_micro = divide_half_even(difference * mechanism_wh, WH_PER_KWH) if tariff.mechanism_share_ppm else 0
    return MonthCharges(capacity_micro, energy_micro, demand_micro, mechanism_micro, mechanism_wh)
