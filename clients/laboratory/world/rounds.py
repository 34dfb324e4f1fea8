"""When the rounds of each quarter-hour take place: a few after the opening of the day, then at stated times before its gate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.scenario.model import MarketRules
from exchange.errors import InputError
from exchange.units import NS_PER_MINUTE

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Rounds:
    """`gate_ns` int64[T]; `round_ns` int64[R, T], not falling with r, none after its gate or before the opening."""

    gate_ns: Integers
    round_ns: Integers


def rounds_of(rules: MarketRules, opens_ns: int, start_ns: Integers) -> Rounds:
    """Rounds of the quarter-hours that start at `start_ns`, int64[T].

    A round that would lie before the one before it is held with that one; one that would lie after its gate is held at the gate. Raises InputError
    where a gate closes before its book has opened.
    """
    gate_ns = start_ns - rules.gate_closure_minutes * NS_PER_MINUTE
    if int(gate_ns[0]) < opens_ns:
        raise InputError(
            f"market: with gate_closure {rules.gate_closure_minutes} minutes the first gate closes before the books open at {rules.opens:%H:%M}"
        )
    after_opening = opens_ns + np.arange(rules.day_ahead_rounds, dtype=np.int64) * rules.day_ahead_minutes * NS_PER_MINUTE
    before_gate = np.array(rules.rounds_before_gate_minutes, dtype=np.int64) * NS_PER_MINUTE
    wanted = np.concatenate([np.broadcast_to(after_opening[:, None], (len(after_opening), len(start_ns))), gate_ns[None, :] - before_gate[:, None]])
    round_ns = np.minimum(np.maximum.accumulate(np.maximum(wanted, opens_ns), axis=0), gate_ns[None, :])
    return Rounds(gate_ns, round_ns)
