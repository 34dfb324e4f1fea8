"""The environments by the checks of Gymnasium and PettingZoo, and what their rewards, actions and seeds promise."""

import importlib
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test

from clients.laboratory.environment.decisions import Episode, Objective, learners_of
from clients.laboratory.environment.observation import FEATURES
from clients.laboratory.environment.seeds import Use, episode_seed
from clients.laboratory.environment.several import ParkMarket, turn_by_turn
from clients.laboratory.environment.single import ParkEnvironment
from clients.laboratory.measures.bills import net_bill_micro, saving_micro
from clients.laboratory.run.engine import Run, simulate
from clients.laboratory.run.record import RunRecord
from exchange.errors import InputError
from tests.clients.laboratory.small_park import small_park

NAMES = ("E01", "E03", "PV01", "S01", "MM1")
ALL = np.array([0.5, 1.0], np.float32)


def park(mechanism: str = "cda") -> Any:
    return small_park(*NAMES, mechanism=mechanism)


def played(environment: ParkEnvironment, action: np.ndarray, seed: int = 3) -> tuple[float, RunRecord, list[np.ndarray]]:
    observation, _ = environment.reset(seed=seed)
    seen, total, is_over = [observation], 0.0, False
    while not is_over:
        observation, reward, is_over, _, _ = environment.step(action)
        seen.append(observation)
        total += reward
    return total, environment.record(), seen


def test_gymnasium_finds_nothing_wrong() -> None:
    check_env(ParkEnvironment(park(), "PV01"), skip_render_check=True)


@pytest.mark.parametrize(
    "check",
    [
        lambda: parallel_api_test(ParkMarket(park(), ["PV01", "E01"]), num_cycles=60),
        lambda: api_test(turn_by_turn(park(), ["PV01", "E01"]), num_cycles=60),
        lambda: parallel_seed_test(lambda: ParkMarket(park(), ["PV01", "E01"]), num_cycles=30),
        lambda: seed_test(lambda: turn_by_turn(park(), ["PV01", "E01"]), num_cycles=30),
    ],
    ids=["parallel", "turns", "parallel-seeds", "turns-seeds"],
)
def test_pettingzoo_finds_nothing_wrong(check: Callable[[], None]) -> None:
    with warnings.catch_warnings():
        # Participants have ids of their own in a scenario; "player_0" would only hide them.
        warnings.filterwarnings("ignore", message="We recommend agents to be named")
        check()


@pytest.mark.parametrize("mechanism", ["cda", "uniform", "pay-as-bid"])
@pytest.mark.parametrize("objective", Objective)
@pytest.mark.parametrize("name", ["PV01", "S01"])
def test_rewards_sum_to_the_objective(mechanism: str, objective: Objective, name: str) -> None:
    scenario = park(mechanism)
    total, record, _ = played(ParkEnvironment(scenario, name, objective=objective), np.array([0.4, 1.0], np.float32))
    row = scenario.index_of(name)
    wanted = (saving_micro(record) if objective is Objective.SAVING else -net_bill_micro(record))[row]
    assert len(record.trades)
    assert total == pytest.approx(int(wanted) / 1e6, abs=1e-6)


@pytest.mark.parametrize("mechanism", ["cda", "uniform"])
def test_a_round_held_book_by_book_is_the_same_round(mechanism: str) -> None:
    scenario = park(mechanism)
    whole = simulate(scenario, 5, hands=[lambda opened: opened.let_time_pass()])
    run = Run(scenario, 5)
    n_parts = 0
    for opened in run.rounds():
        for part in opened.parts([0, 2]):
            n_parts += 1
            part.hold()
    record = run.record()
    run.link.close()
    assert n_parts > 300
    assert (record.state_hash, record.event_hash) == (whole.state_hash, whole.event_hash)


def test_a_price_and_a_share_are_what_is_traded() -> None:
    scenario = park()
    row = scenario.index_of("PV01")
    _, silent, _ = played(ParkEnvironment(scenario, "PV01"), np.array([0.5, 0.0], np.float32))
    assert silent.sold_lots[row].sum() == 0
    _, record, _ = played(ParkEnvironment(scenario, "PV01"), np.array([0.25, 1.0], np.float32))
    sold = record.trades[record.trades["seller"] == row]
    low, high = (prices[sold["period"]] for prices in (record.surplus_price_ticks, record.deficit_price_ticks))
    assert len(sold)
    assert (sold["price_ticks"] >= low + (high - low) * 25 // 100).all()


def test_observations_tell_side_forecast_and_time() -> None:
    _, _, seen = played(ParkEnvironment(park(), "PV01"), ALL)
    column = {name: np.array([one[place] for one in seen[:-1]]) for place, name in enumerate(FEATURES)}
    assert set(column["side"]) <= {-1.0, 1.0}
    assert (column["wanted"] > 0).all()
    assert ((column["expected_net"] - column["position"] > 0) == (column["side"] > 0)).all()
    assert column["time_left"].max() == 1.0
    assert column["time_left"].min() == 0.0
    assert column["position"].min() < 0


def test_a_learner_may_take_the_place_of_any_agent_with_energy() -> None:
    for name in ("E01", "S01"):
        environment = ParkEnvironment(park(), name)
        total, record, _ = played(environment, np.array([0.9, 1.0], np.float32))
        assert np.isfinite(total)
        assert record.bought_lots[park().index_of(name)].sum() > 0


@pytest.mark.parametrize(("names", "reason"), [([], "at least one"), (["E01", "E01"], "each once"), (["X9"], "no participant"), (["MM1"], "nothing")])
def test_who_cannot_learn_is_refused(names: list[str], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        learners_of(park(), names)


@pytest.mark.parametrize(("module", "library"), [("single", "gymnasium"), ("several", "pettingzoo")])
def test_a_missing_extra_is_named(module: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"clients.laboratory.environment.{module}")
    with pytest.raises(ImportError, match=rf"{library}: pip install 'parkex\[laboratory\]'"):
        importlib.import_module(f"clients.laboratory.environment.{module}")


def test_training_and_evaluation_never_share_a_world() -> None:
    streams, episodes = (0, 1, 2**64 - 1), range(50)
    seeds = {use: {episode_seed(stream, episode, use) for stream in streams for episode in episodes} for use in Use}
    assert {seed % 2 for seed in seeds[Use.TRAINING]} == {0}
    assert {seed % 2 for seed in seeds[Use.EVALUATION]} == {1}
    assert all(len(found) == len(streams) * len(episodes) for found in seeds.values())


def test_a_reset_goes_on_in_the_stream_and_a_seed_begins_it_again() -> None:
    environment = ParkEnvironment(park(), "PV01", use=Use.EVALUATION)
    seeds = [environment.reset(seed=seed)[1]["seed"] for seed in (9, None, 9)]
    environment.close()
    assert seeds == [episode_seed(9, episode, Use.EVALUATION) for episode in (0, 1, 0)]


def test_what_one_learner_does_reaches_the_other() -> None:
    scenario = park()
    rows = learners_of(scenario, ["PV01", "E01"])
    totals = []
    for share in (0.0, 1.0):
        episode = Episode(scenario, 4, rows, Objective.SAVING)
        total = np.zeros(2)
        while not episode.is_over:
            total += episode.act({0: (0.2, share), 1: (0.8, 1.0)})
        episode.close()
        totals.append(total)
    assert totals[0][1] < totals[1][1]
