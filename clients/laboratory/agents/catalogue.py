"""All populations by name: papers, parameters with ranges and defaults, and the traits that agents are born with."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.agents import aggressive, gdx, market_maker, price_taker, strategic
from clients.laboratory.agents import zip as zero_intelligence_plus
from clients.laboratory.agents.interface import NOT_COMPILED, SHOUTS_KEPT, TRAIT, Population
from clients.laboratory.agents.parameters import Entry, Parameter, drawn, fixed, share
from clients.laboratory.scenario.model import AgentChoice, Scenario
from exchange.errors import InputError
from exchange.units import PPM

_ZIP: Final = (
    share("learning_rate_low_ppm", 100_000, "least beta"),
    share("learning_rate_high_ppm", 500_000, "greatest beta"),
    share("momentum_low_ppm", 200_000, "least gamma"),
    share("momentum_high_ppm", 800_000, "greatest gamma"),
    share("margin_low_ppm", 50_000, "least first margin, share of the limit"),
    share("margin_high_ppm", 350_000, "greatest first margin"),
    share("relative_ppm", 50_000, "R is up to this far from 1"),
    Parameter("absolute_ticks", 0, 10_000, 5, "A is up to this far from 0"),
)
_GDX: Final = (
    share("discount_ppm", 900_000, "gamma: worth of a profit one round later"),
    Parameter("shouts", 1, SHOUTS_KEPT, 40, "shouts that beliefs are counted from"),
)
_AGGRESSIVE: Final = (
    share("short_rate_low_ppm", 200_000, "least beta 1, of aggressiveness"),
    share("short_rate_high_ppm", 600_000, "greatest beta 1"),
    share("long_rate_low_ppm", 200_000, "least beta 2, of theta"),
    share("long_rate_high_ppm", 600_000, "greatest beta 2"),
    share("relative_ppm", 20_000, "lambda r: step beside what was heard, relative"),
    share("absolute_ppm", 10_000, "lambda a: the same, absolute"),
    Parameter("sharpness_ppm", 0, 20 * PPM, 2 * PPM, "gamma: how soon theta follows Smith's alpha"),
    Parameter("pace_ppm", PPM, 100 * PPM, 3 * PPM, "eta: a quote goes one part in this of the way to the target"),
    Parameter("theta_min_ppm", -20 * PPM, 20 * PPM, -8 * PPM, "least theta"),
    Parameter("theta_max_ppm", -20 * PPM, 20 * PPM, 2 * PPM, "greatest theta"),
    Parameter("aggressiveness_low_ppm", -PPM, PPM, -300_000, "least first r (design)"),
    Parameter("aggressiveness_high_ppm", -PPM, PPM, 0, "greatest first r (design)"),
    Parameter("theta_low_ppm", -20 * PPM, 20 * PPM, -5 * PPM, "least first theta (design)"),
    Parameter("theta_high_ppm", -20 * PPM, 20 * PPM, 0, "greatest first theta (design)"),
    share("weight_ppm", 900_000, "rho: weight of a trade against that of the next", low=1),
)
_MARKET_MAKER: Final = (
    Parameter("risk_aversion_ppm", 1, PPM, 1_000, "gamma, per tick and unit of inventory"),
    Parameter("volatility_ticks", 0, 100_000, 200, "sigma over the whole time of a market"),
    Parameter("decay_ppm", 1, 10 * PPM, 10_000, "kappa, per tick"),
    Parameter("unit_lots", 1, 10**9, 1_000, "a unit of inventory"),
)
_STRATEGIC: Final = (
    share("shade_ppm", 100_000, "share of the limit that a report stays on the profitable side of it; negative: beyond it", low=-PPM),
    share("withheld_ppm", 0, "share of the quantity that is kept back"),
)
_COMPLIANCE: Final = (Parameter("slices", 1, 10_000, 24, "equal parts of a programme, one a step"),)

CATALOGUE: Final = {
    entry.name: entry
    for entry in (
        Entry("zi_u", Population.ZI_U, "Gode and Sunder 1993", "any price of the band, each as likely", is_rational=False),
        Entry("zi_c", Population.ZI_C, "Gode and Sunder 1993", "any price that makes no loss, each as likely", is_rational=True),
        Entry(
            "zip", Population.ZIP, "Cliff 1997", "limit with a margin that is moved towards what was said", is_rational=True, parameters=_ZIP,
            slots=(
                drawn(zero_intelligence_plus.LEARNING_RATE, "learning_rate"), drawn(zero_intelligence_plus.MOMENTUM, "momentum"),
                drawn(zero_intelligence_plus.FIRST_MARGIN, "margin"), fixed(zero_intelligence_plus.RELATIVE, "relative_ppm", PPM),
                fixed(zero_intelligence_plus.ABSOLUTE, "absolute_ticks"),
            ),
        ),
        Entry(
            "gdx", Population.GDX, "Gjerstad and Dickhaut 1998; Tesauro and Bredin 2002",
            "greatest expected profit over all rounds left, beliefs counted from shouts", is_rational=True, parameters=_GDX,
            slots=(fixed(gdx.DISCOUNT, "discount_ppm", PPM), fixed(gdx.WINDOW, "shouts")),
        ),
        Entry(
            "aa", Population.AGGRESSIVE, "Vytelingum, Cliff and Jennings 2008",
            "target between profit and chance of a trade, aggressiveness learnt from shouts", is_rational=True, parameters=_AGGRESSIVE,
            slots=(
                drawn(aggressive.SHORT_RATE, "short_rate"), drawn(aggressive.LONG_RATE, "long_rate"),
                fixed(aggressive.RELATIVE, "relative_ppm", PPM), fixed(aggressive.ABSOLUTE, "absolute_ppm", PPM),
                fixed(aggressive.SHARPNESS, "sharpness_ppm", PPM), fixed(aggressive.PACE, "pace_ppm", PPM),
                fixed(aggressive.THETA_MIN, "theta_min_ppm", PPM), fixed(aggressive.THETA_MAX, "theta_max_ppm", PPM),
                drawn(aggressive.FIRST_R, "aggressiveness"), drawn(aggressive.FIRST_THETA, "theta"), fixed(aggressive.WEIGHT, "weight_ppm", PPM),
            ),
        ),
        Entry(
            "market_maker", Population.MARKET_MAKER, "Avellaneda and Stoikov 2008", "both sides of a price that moves against the inventory",
            is_rational=True, parameters=_MARKET_MAKER,
            slots=(
                fixed(market_maker.RISK_AVERSION, "risk_aversion_ppm", PPM), fixed(market_maker.VOLATILITY, "volatility_ticks"),
                fixed(market_maker.DECAY, "decay_ppm", PPM), fixed(market_maker.UNIT_LOTS, "unit_lots"),
            ),
        ),
        Entry(
            "price_taker", Population.PRICE_TAKER, "Mas-Colell, Whinston and Green 1995", "the price that it finds, if within the limit",
            is_rational=True, parameters=(Parameter("limit_at_last", 0, 1, 1, "1: quotes its limit at the last round"),),
            slots=(fixed(price_taker.LIMIT_AT_LAST, "limit_at_last"),),
        ),
        Entry("truthful", Population.TRUTHFUL, "Vickrey 1961", "the limit", is_rational=True),
        Entry(
            "strategic", Population.STRATEGIC, "Myerson and Satterthwaite 1983; Borenstein, Bushnell and Wolak 2002",
            "a limit that is not its own, and a part of the quantity kept back", is_rational=False, parameters=_STRATEGIC,
            slots=(fixed(strategic.SHADE, "shade_ppm", PPM), fixed(strategic.WITHHELD, "withheld_ppm", PPM)),
        ),
        Entry(
            "compliance", NOT_COMPILED, "Bertsimas and Lo 1998", "equal slices of a programme in certificates, allowances or credits",
            is_rational=True, parameters=_COMPLIANCE,
        ),
    )
}  # fmt: skip


def is_user_strategy(name: str) -> bool:
    """Whether a choice names a class of the user, `file.py:ClassName`."""
    return ".py:" in name


def entry_of(choice: AgentChoice, where: str) -> Entry:
    """The row of a population by name. Raises InputError, beginning with `where`, for an unknown one."""
    if choice.name not in CATALOGUE:
        raise InputError(f"{where}: no population is called {choice.name!r}; there are {', '.join(CATALOGUE)}, and file.py:ClassName")
    return CATALOGUE[choice.name]


def check_choice(choice: AgentChoice, where: str) -> None:
    """Raise InputError for an unknown population, parameter or value. A user's class is looked at when it is loaded."""
    if not is_user_strategy(choice.name):
        entry_of(choice, where).values(choice.parameters, where)


def trait_of(choice: AgentChoice, seed: int, agent: int, where: str) -> NDArray[np.void]:
    """The trait of one agent (row `agent`) as an array of TRAIT with one item. Raises InputError as `check_choice` does."""
    trait = np.zeros(1, TRAIT)
    if is_user_strategy(choice.name):
        return trait
    entry = entry_of(choice, where)
    values = entry.values(choice.parameters, where)
    trait["kind"] = entry.kind
    for slot in entry.slots:
        trait["p"][0, slot.index] = slot.draw(values, seed, agent)
    return trait


def traits(scenario: Scenario, seed: int) -> NDArray[np.void]:
    """TRAIT[n], rows as in `scenario.participants`. Raises InputError that names the participant."""
    found = [trait_of(entry.agent, seed, row, f"participant {entry.id}") for row, entry in enumerate(scenario.participants)]
    return np.concatenate(found) if found else np.zeros(0, TRAIT)
