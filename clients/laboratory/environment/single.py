"""One learning participant: a Gymnasium environment (Towers et al. 2024, "Gymnasium: a standard interface for reinforcement learning environments").

    environment = ParkEnvironment(load_scenario("park"), "PV01")
    observation, info = environment.reset(seed=1)
    observation, reward, terminated, truncated, info = environment.step(np.array([0.5, 1.0], np.float32))

An episode is the days of the scenario. `reset(seed=s)` begins the stream of episodes `s`; each `reset()` after it is the next episode of the stream.
"""

from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.environment.decisions import Episode, Objective, learners_of
from clients.laboratory.environment.observation import HIGH, LOW, Floats
from clients.laboratory.environment.seeds import Use, episode_seed
from clients.laboratory.run.record import RunRecord
from clients.laboratory.scenario.model import Scenario
from exchange.errors import InputError

try:
    import gymnasium
except ImportError as error:
    raise ImportError("a learning participant needs gymnasium: pip install 'parkex[laboratory]'") from error

Action = NDArray[np.float32]

# (price, share): where between what the grid pays (0) and charges (1), and how much of what is wanted.
ACTION_SIZE: Final = 2


def observation_box() -> gymnasium.Space[Floats]:
    box: Any = gymnasium.spaces.Box(LOW, HIGH, dtype=np.float32)
    return cast("gymnasium.Space[Floats]", box)


def action_box() -> gymnasium.Space[Action]:
    box: Any = gymnasium.spaces.Box(0.0, 1.0, (ACTION_SIZE,), np.float32)
    return cast("gymnasium.Space[Action]", box)


class ParkEnvironment(gymnasium.Env[Floats, Action]):
    """Rewards are CNY. `use` decides which of the two kinds of seeds episodes have: no evaluation plays a day of the training."""

    metadata = {"render_modes": []}  # noqa: RUF012 - Gymnasium's own way

    def __init__(self, scenario: Scenario, participant: str, *, objective: Objective | str = Objective.SAVING, use: Use = Use.TRAINING) -> None:
        """Raises InputError for a participant that cannot learn."""
        self._scenario, self._rows = scenario, learners_of(scenario, [participant])
        self._objective, self._use = Objective(objective), use
        self.observation_space, self.action_space = observation_box(), action_box()
        self._stream, self._episodes = scenario.seed, 0
        self._episode: Episode | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Begin the next episode, or the first of stream `seed`. Raises InputError where the participant has nothing to decide in all of it."""
        super().reset(seed=seed, options=options)
        if seed is not None:
            self._stream, self._episodes = seed, 0
        self.close()
        self._episode = Episode(self._scenario, episode_seed(self._stream, self._episodes, self._use), self._rows, self._objective)
        self._episodes += 1
        if self._episode.is_over:
            raise InputError(f"participant {self._scenario.participants[self._rows[0]].id} wants nothing from the market in this episode")
        return self._episode.observations()[0], self._episode.info()

    def step(self, action: Action) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        assert self._episode is not None, "step before reset"
        reward = self._episode.act({0: (float(action[0]), float(action[1]))})[0]
        return self._episode.observations()[0], reward, self._episode.is_over, False, dict(self._episode.info())

    def record(self) -> RunRecord:
        """Of the episode that has just ended, for the measures."""
        assert self._episode is not None
        assert self._episode.record is not None, "the episode goes on"
        return self._episode.record

    def close(self) -> None:
        if self._episode is not None:
            self._episode.close()
            self._episode = None
