"""Published figures are met, and a verdict fails where a population does not do what its paper says."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from clients.cli.exits import Exit
from clients.cli.reproduce_command import run_reproduce_command
from clients.laboratory.agents.experiment import DEAL, Induced
from clients.laboratory.reproduce import gode_sunder, mcafee, smith
from clients.laboratory.reproduce import zip as zip_traders
from clients.laboratory.reproduce.induced import alpha_percent, efficiency_percent, equilibrium_of, profit_dispersion_ticks
from clients.laboratory.reproduce.result import Reproduction, at_least, at_most, near, reported
from clients.laboratory.reproduce.sessions import Floor, Sessions, run_sessions
from clients.laboratory.reproduce.table import REPRODUCTIONS
from exchange.errors import InputError
from matching.mechanisms import MECHANISMS, SEALED_ORDER, Rules
from matching.records import Side


@pytest.mark.parametrize("name", REPRODUCTIONS)
def test_every_gate_holds(name: str) -> None:
    found = REPRODUCTIONS[name](11, is_quick=True)
    assert [line for line in found.lines if line.holds is False] == []
    assert any(line.holds for line in found.lines)
    assert REPRODUCTIONS[name](11, is_quick=True) == found


def with_random_traders(name: str, days: list[Induced], floor: Floor, seeds: list[int]) -> Sessions:
    del name
    return run_sessions("zi_c", days, floor, seeds)


def test_verdicts_fail_for_traders_who_do_not_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (zip_traders, smith, gode_sunder):
        monkeypatch.setattr(module, "run_sessions", with_random_traders)
    assert not zip_traders.reproduce(11, is_quick=True).passed
    assert not smith.reproduce(11, is_quick=True).passed
    assert not gode_sunder.reproduce(11, is_quick=True).passed


@pytest.mark.parametrize(("field", "shift"), [(0, 0.12), (1, 2.5), (2, 2.5), (3, 2.5)])
def test_the_table_of_mcafee_notices_another_figure(monkeypatch: pytest.MonkeyPatch, field: int, shift: float) -> None:
    row = list(mcafee.PUBLISHED[5])
    row[field] += shift
    monkeypatch.setattr(mcafee, "PUBLISHED", {5: tuple(row)})
    assert not mcafee.reproduce(11, is_quick=True).passed


def test_draws_of_mcafee_are_enough_for_its_gates() -> None:
    """The number of trades of n pairs is that of buyers among the upper half: hypergeometric, n^2 / (4 (2n - 1)) its variance."""
    for n in mcafee.PUBLISHED:
        assert np.sqrt(n * n / (4 * (2 * n - 1)) / mcafee.DRAWS) <= 0.02 / 4
    found = mcafee.reproduce(5, is_quick=True)
    for line in found.lines:
        gate = float(line.gate.removeprefix("within "))
        assert line.standard_error is not None
        assert 0 < line.standard_error <= gate / 4, line


@pytest.mark.parametrize("n", [2, 25])
def test_standard_errors_are_those_of_independent_draws(n: int) -> None:
    """Against the spread of many small runs: within a third, four standard deviations of a spread of 150."""
    runs = [mcafee.simulate(n, 500, seed) for seed in range(150)]
    for field in range(4):
        values = [run[field].value for run in runs]
        claimed = np.mean([run[field].standard_error for run in runs])
        assert float(np.std(values)) == pytest.approx(float(claimed), rel=1 / 3)
    assert mcafee.simulate(n, 500, 3)[0].standard_error == pytest.approx(np.sqrt(n * n / (4 * (2 * n - 1)) / 500), rel=0.15)


@pytest.mark.parametrize(
    ("number", "volume", "price", "gain"), [(1, 30, 83, 6 * 170), (2, 30, 69, 6 * 170), (3, 12, 95, 6 * 43), (4, 18, 170, 6 * 125)]
)
def test_equilibria_of_the_published_schedules(number: int, volume: int, price: int, gain: int) -> None:
    found = equilibrium_of(gode_sunder.market_of(number))
    assert (found.volume, found.price_ticks, found.gain_ticks) == (volume, price, gain)
    assert found.profit_ticks.sum() == gain


LIMITS = st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=3), min_size=1, max_size=4)


@given(LIMITS, LIMITS)
def test_the_greatest_gain_is_that_of_the_best_pairing(values: list[list[int]], costs: list[list[int]]) -> None:
    bids, asks = (np.array(list(itertools.chain(*rows))) for rows in (values, costs))
    gains = np.maximum(bids[:, None] - asks[None, :], 0)
    pairs = linear_sum_assignment(gains, maximize=True)
    if bids.max() < asks.min():
        with pytest.raises(ValueError, match="no value reaches a cost"):
            equilibrium_of(Induced.of(values, costs))
        return
    found = equilibrium_of(Induced.of(values, costs))
    assert found.gain_ticks == gains[pairs].sum() == found.profit_ticks.sum()
    price = float(found.price_ticks)
    assert (bids > price).sum() <= found.volume <= (bids >= price).sum()
    assert (asks < price).sum() <= found.volume <= (asks <= price).sum()


def test_measures_of_one_day_reckoned_by_hand() -> None:
    induced = Induced.of([[10], [8], [3]], [[2], [4], [9]])
    equilibrium = equilibrium_of(induced)  # two units at a price from 4 to 8: 6; gains 8 and 4; profits 4, 2, 0, 4, 2, 0
    deals = np.zeros(1, DEAL)
    deals["buyer"], deals["seller"], deals["price_ticks"], deals["buyer_limit_ticks"], deals["seller_limit_ticks"] = 0, 4, 7, 10, 4
    assert (equilibrium.volume, equilibrium.price_ticks, equilibrium.gain_ticks) == (2, 6, 12)
    assert efficiency_percent(deals, equilibrium) == 50.0
    assert alpha_percent(deals, equilibrium) == pytest.approx(100 / 6)
    assert profit_dispersion_ticks(deals, equilibrium) == pytest.approx(np.sqrt(((3 - 4) ** 2 + 2**2 + 0 + 4**2 + (3 - 2) ** 2) / 6))
    assert np.isnan(alpha_percent(deals[:0], equilibrium))


def gain_of(name: str, values: list[int], costs: list[int]) -> tuple[int, int]:
    """Gain of all and of the traders of a clearing by matching.mechanisms."""
    orders = np.zeros(len(values) + len(costs), SEALED_ORDER)
    orders["order_id"] = orders["owner"] = np.arange(len(orders))
    orders["quantity_lots"], orders["price_ticks"] = 1, [*values, *costs]
    orders["side"] = [int(Side.BUY)] * len(values) + [int(Side.SELL)] * len(costs)
    fills = MECHANISMS[name].clear(orders, Rules()).fills
    limit = orders["price_ticks"][fills["order"]].astype(int)
    sign = np.where(fills["side"] == Side.BUY, 1, -1)
    return int((sign * limit * fills["quantity_lots"]).sum()), int((sign * (limit * fills["quantity_lots"] - fills["amount_tick_lots"])).sum())


@given(st.integers(1, 5).flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 40).map(lambda x: 2 * x), min_size=n, max_size=n)] * 2)))
def test_gains_are_those_of_the_mechanisms(limits: tuple[list[int], list[int]]) -> None:
    values, costs = limits
    one = np.array([values]), np.array([costs])
    found = mcafee.gains_of(*one, np.zeros(1, np.int64))
    assert (found.mcafee[0], found.mcafee_traders[0]) == gain_of("mcafee", values, costs)
    trades = max(int(found.trades[0]), 1)
    lots = [(number << 30) // trades + 1 for number in range(trades)]
    drawn = [mcafee.gains_of(*one, np.array([lot])).sbb[0] for lot in lots]
    assert gain_of("sbb", values, costs)[0] in drawn


def test_lines_and_verdicts() -> None:
    lines = (near("a", 1.0, 1.05, 0.1), at_least("b", None, 3.0, 3.0), at_most("c", "falls", 2.0, 2.0), reported("d", 5.0, 99.0))
    assert [line.holds for line in lines] == [True, True, True, None]
    assert Reproduction("x", "y", "z", lines).passed
    failing = (near("a", 1.0, 1.2, 0.1), at_least("b", None, 2.9, 3.0), at_most("c", None, 2.1, 2.0))
    assert [Reproduction("x", "y", "z", (*lines, line)).passed for line in failing] == [False] * 3


def test_the_command_prints_figures_and_tells_the_verdict(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_reproduce_command("mcafee", 3, quick=True, as_json=False) == Exit.DONE
    text = capsys.readouterr().out
    assert "McAfee 1992" in text
    assert "50000 independent markets" in text
    assert "standard error" in text
    assert "Reproduced: every gate holds." in text
    monkeypatch.setattr(mcafee, "PUBLISHED", {2: (0.99, 90.0, 69.01, 62.69)})
    assert run_reproduce_command("mcafee", 3, quick=True, as_json=True) == Exit.CHECK_FAILED
    found = json.loads(capsys.readouterr().out)
    assert (found["passed"], found["seed"], found["lines"][1]["published"], found["lines"][1]["holds"]) == (False, 3, 90.0, False)


@pytest.mark.parametrize(
    ("name", "seed", "message"), [("smith1962", 1, "expected gode-sunder, mcafee, zip, smith, not"), ("zip", -1, "--seed is from 0")]
)
def test_what_the_command_cannot_take(name: str, seed: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run_reproduce_command(name, seed, quick=True, as_json=False)
