"""Benefit sharing: what the park gains over the pool, given to operator and members by the scenario's rule, to the micro-CNY.

Rules (design, after market practice): `none` leaves it as it falls; `energy` shares by metered load and generation; `equal` by heads; `shapley` in
proportion to the Shapley values of the netting game. A gain below zero is shared by the same weights and the operator takes nothing of it.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from clients.laboratory.measures.bills import saving_micro
from clients.laboratory.measures.figures import Figure, cny
from clients.laboratory.measures.netting_game import EXACT_MEMBERS, NettingGame, drawn_permutations
from clients.laboratory.measures.shapley import exact_shapley, largest_excess, sampled_shapley
from clients.laboratory.run.record import RunRecord
from exchange.errors import InputError
from exchange.units import MICRO_PER_CNY, PPM, split_by_largest_remainder


@dataclass(frozen=True, slots=True)
class SharedGain:
    """`gain_micro` = operator + members, exactly. `standard_error_micro` is the largest of the members' where Shapley values were sampled."""

    gain_micro: int
    operator_micro: int
    members_micro: tuple[int, ...]
    standard_error_micro: float | None = None


def sharing_measures(record: RunRecord) -> dict[str, Figure]:
    shared = share_gain(record)
    error = shared.standard_error_micro
    return {
        "sharing_gain_cny": cny(shared.gain_micro),
        "sharing_operator_cny": cny(shared.operator_micro),
        "sharing_lowest_cny": cny(min(shared.members_micro, default=0)),
        "sharing_highest_cny": cny(max(shared.members_micro, default=0)),
        "sharing_standard_error_cny": None if error is None else error / MICRO_PER_CNY,
        "sharing_core_excess_cny": core_excess_cny(record, shared),
    }


def share_gain(record: RunRecord) -> SharedGain:
    """Apply the scenario's rule. Raises InputError for a rule that does not exist."""
    savings = [int(saving) for saving in saving_micro(record)]
    gain = sum(savings)
    rules = record.scenario.sharing
    operator = max(gain, 0) * rules.operator_ppm // PPM
    if rules.rule == "none":
        return SharedGain(gain, operator, tuple(_less_operator(savings, operator)))
    weights, error = _weights(record, rules.rule)
    rest = gain - operator
    split = split_by_largest_remainder(abs(rest), weights if any(weights) else [1] * len(savings))
    members = tuple(share if rest >= 0 else -share for share in split)
    return SharedGain(gain, operator, members, None if error is None else error * abs(rest))


def _less_operator(savings: list[int], operator_micro: int) -> list[int]:
    """The operator's part is taken from those who gain, in proportion."""
    if not operator_micro:
        return savings
    taken = split_by_largest_remainder(operator_micro, [max(saving, 0) for saving in savings])
    return [saving - part for saving, part in zip(savings, taken, strict=True)]


def _weights(record: RunRecord, rule: str) -> tuple[list[int], float | None]:
    """Weights of the members, and the largest standard error of a member's share of the whole."""
    if rule == "energy":
        return [int(energy) for energy in (record.load_wh + record.generation_wh).sum(axis=1)], None
    if rule == "equal":
        return [1] * record.n_participants, None
    if rule != "shapley":
        raise InputError(f"sharing rule {rule!r} is none of none, energy, equal, shapley")
    game = NettingGame(record)
    if record.n_participants <= EXACT_MEMBERS:
        values = exact_shapley(game.values())
        scale = lcm(*(value.denominator for value in values))
        return [int(value * scale) for value in values], None
    sampled = sampled_shapley(game.marginals, drawn_permutations(record.seed, record.n_participants))
    whole = sum(sampled.sums)
    return sampled.sums, max(sampled.standard_errors) * sampled.draws / whole if whole else 0.0


def core_excess_cny(record: RunRecord, shared: SharedGain) -> float | None:
    """Most that a coalition loses against its part of the game, scaled to what the members share; None beyond EXACT_MEMBERS or without a gain.

    The game's values are scaled so that all members together have what they were given.
    """
    n, given = record.n_participants, sum(shared.members_micro)
    if not 2 <= n <= EXACT_MEMBERS or given <= 0:
        return None
    game = NettingGame(record).values()
    whole = int(game[-1])
    if whole <= 0:
        return None
    return float(largest_excess(game, [Fraction(part * whole, given) for part in shared.members_micro])) * given / whole / MICRO_PER_CNY
