"""A park of eight members and an hour, from the demo park: what one end-to-end test can afford."""

import dataclasses

import numpy as np

from clients.scenarios.loader import load_park
from clients.scenarios.model import Park
from clients.simulator.demo import first_periods
from exchange.units import NS_PER_HOUR

MEMBERS = ("E03", "E08", "E14", "E07", "PV01", "S01", "MM1", "CO1")
# Shift the hour that is played to the morning, when the sun is up and the tariff leaves gain from trade.
FIRST_PERIOD = 40


def small_park(periods: int = 4, members: tuple[str, ...] = MEMBERS, seed: int = 7) -> Park:
    """Members without contracts; the books open an hour and a half before the first delivery."""
    park = load_park(seed=seed)
    cut = slice(FIRST_PERIOD, None)
    arrays = ("load_wh", "generation_wh", "forecast_load_wh", "forecast_generation_wh", "updated_load_wh", "updated_generation_wh", "contract_lots")
    chosen = []
    for member in park.members:
        if member.id in members:
            later = {name: getattr(member, name)[cut] for name in arrays}
            later["contract_lots"] = np.zeros_like(later["contract_lots"])
            chosen.append(dataclasses.replace(member, **later))
    shifted = dataclasses.replace(
        park,
        members=tuple(chosen),
        contracts=(),
        symbols=park.symbols[cut],
        start_ns=park.start_ns[cut],
        deficit_price_ticks=park.deficit_price_ticks[cut],
        surplus_price_ticks=park.surplus_price_ticks[cut],
        gate_ns=park.gate_ns[cut],
        opens_ns=int(park.start_ns[FIRST_PERIOD]) - 3 * NS_PER_HOUR // 2,
    )
    return first_periods(shifted, periods)
