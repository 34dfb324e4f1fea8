"""Several learning participants in one park: a PettingZoo environment (Terry et al. 2021, "PettingZoo: Gym for multi-agent reinforcement learning").

    market = ParkMarket(load_scenario("park"), ["PV01", "E01"])          # all act at once (Parallel)
    market = turn_by_turn(load_scenario("park"), ["PV01", "E01"])        # one after the other (AEC)

Nobody sees what others do in the same round, in either form. Who wants nothing from the book of a step is asked all the same and its action is not
read (its `side` is 0).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.environment.decisions import Episode, Objective, learners_of
from clients.laboratory.environment.seeds import Use, episode_seed
from clients.laboratory.environment.single import action_box, observation_box
from clients.laboratory.scenario.model import Scenario
from exchange.errors import InputError

try:
    import gymnasium
    from pettingzoo import AECEnv, ParallelEnv
    from pettingzoo.utils.conversions import parallel_to_aec
except ImportError as error:
    raise ImportError("several learning participants need pettingzoo: pip install 'parkex[laboratory]'") from error

Floats = NDArray[np.float32]


class ParkMarket(ParallelEnv):
    """Agents are ids of participants; rewards are CNY. Streams of episodes and `use` as of ParkEnvironment."""

    metadata = {"name": "park_market", "render_modes": [], "is_parallelizable": True}  # noqa: RUF012 - PettingZoo's own way

    def __init__(
        self, scenario: Scenario, participants: Sequence[str], *, objective: Objective | str = Objective.SAVING, use: Use = Use.TRAINING
    ) -> None:
        """Raises InputError for participants that cannot learn."""
        self._scenario, self._rows = scenario, learners_of(scenario, participants)
        self._objective, self._use = Objective(objective), use
        self.possible_agents = list(participants)
        self.agents: list[str] = []
        self.render_mode = None
        self.observation_spaces = {agent: observation_box() for agent in self.possible_agents}
        self.action_spaces = {agent: action_box() for agent in self.possible_agents}
        self._stream, self._episodes = scenario.seed, 0
        self._episode: Episode | None = None

    def observation_space(self, agent: str) -> gymnasium.Space[Floats]:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> gymnasium.Space[Floats]:
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Floats], dict[str, dict[str, Any]]]:  # noqa: ARG002
        """Begin the next episode, or the first of stream `seed`. Raises InputError where nobody has anything to decide in all of it."""
        if seed is not None:
            self._stream, self._episodes = seed, 0
        self.close()
        self._episode = Episode(self._scenario, episode_seed(self._stream, self._episodes, self._use), self._rows, self._objective)
        self._episodes += 1
        if self._episode.is_over:
            raise InputError(f"none of {', '.join(self.possible_agents)} wants anything from the market in this episode")
        self.agents = list(self.possible_agents)
        return self._seen(self._episode), {agent: dict(self._episode.info()) for agent in self.agents}

    def step(
        self, actions: dict[str, Floats]
    ) -> tuple[dict[str, Floats], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        assert self._episode is not None, "step before reset"
        agents, episode = self.agents, self._episode
        place_of = {agent: place for place, agent in enumerate(self.possible_agents)}
        rewards = episode.act({place_of[agent]: (float(action[0]), float(action[1])) for agent, action in actions.items()})
        if episode.is_over:
            self.agents = []
        return (
            self._seen(episode),
            dict(zip(agents, rewards, strict=True)),
            dict.fromkeys(agents, episode.is_over),
            dict.fromkeys(agents, False),
            {agent: dict(episode.info()) for agent in agents},
        )

    def render(self) -> None:
        """There is nothing to see; the record of a run has everything to draw."""

    def close(self) -> None:
        if self._episode is not None:
            self._episode.close()
            self._episode = None

    def _seen(self, episode: Episode) -> dict[str, Floats]:
        return dict(zip(self.possible_agents, episode.observations(), strict=True))


def turn_by_turn(
    scenario: Scenario, participants: Sequence[str], *, objective: Objective | str = Objective.SAVING, use: Use = Use.TRAINING
) -> AECEnv:
    """The same environment as an agent environment cycle."""
    return parallel_to_aec(ParkMarket(scenario, participants, objective=objective, use=use))
