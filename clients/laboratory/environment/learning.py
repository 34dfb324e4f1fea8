"""Whether a learner has learnt: its curve, where its warm-up ends (MSER-5), and what it comes to on days that it has never seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from clients.laboratory.statistics.intervals import Interval, mean_interval
from clients.laboratory.statistics.warm_up import BATCH, BATCHES_MIN, mser5

EPISODES_MIN: Final = BATCH * BATCHES_MIN

Policy = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Convergence:
    """`curve`: means of BATCH returns, what a plot of learning shows. `warm_up`: returns to drop, None where the series is too short or still moves;
    `settled`: mean of the rest by batches with its interval, None with it.
    """

    curve: tuple[float, ...]
    warm_up: int | None
    settled: Interval | None

    @property
    def has_converged(self) -> bool:
        return self.warm_up is not None


def convergence_of(returns: Sequence[float]) -> Convergence:
    """Judge the returns of training, an episode each, in their sequence; EPISODES_MIN at least for an answer."""
    n = len(returns) // BATCH
    curve = tuple(np.asarray(returns[: n * BATCH], np.float64).reshape(n, BATCH).mean(axis=1).tolist())
    warm_up = mser5(returns)
    settled = None if warm_up is None else mean_interval(curve[warm_up // BATCH :])
    return Convergence(curve, warm_up, settled)


def returns_of(environment: Any, policy: Policy, episodes: int, seed: int) -> list[float]:
    """Returns of `episodes` episodes of the stream `seed`, the policy (observation -> action) left as it is."""
    found = []
    for episode in range(episodes):
        observation, _ = environment.reset(seed=seed if episode == 0 else None)
        total, is_over = 0.0, False
        while not is_over:
            observation, reward, terminated, truncated, _ = environment.step(policy(observation))
            total, is_over = total + reward, terminated or truncated
        found.append(total)
    return found
