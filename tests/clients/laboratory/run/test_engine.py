"""A run of the laboratory: what it conserves, what it depends on, and that its exchange is the live one."""

import dataclasses
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from clients.laboratory.agents.catalogue import CATALOGUE
from clients.laboratory.measures.theory import theory_measures
from clients.laboratory.run.engine import simulate
from clients.laboratory.run.record import RunRecord
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.scenario.resolve import load_scenario
from exchange.errors import InputError
from exchange.journal.segments import JournalReader
from exchange.order_path import canonical
from exchange.order_path.path import Exchange
from exchange.replay import replay_into
from exchange.units import POWER_LOT_WH, POWER_MULTIPLIER_MICRO
from matching.mechanisms import MECHANISMS

ONE_DAY = ("cda", *MECHANISMS)


@cache
def park(mechanism: str = "cda", population: str = "zi_c", **market: str) -> Scenario:
    overrides = {"market.mechanism": mechanism, "population.default": population} | {f"market.{key}": value for key, value in market.items()}
    return load_scenario("park", overrides)


def without_devices(scenario: Scenario) -> Scenario:
    """Only loads and plants: what storage wants depends on the books of the day after, and a market maker looks at quotes."""
    metered = (entry for entry in scenario.participants if (entry.load or entry.generation) and not entry.storage)
    plain = tuple(dataclasses.replace(entry, flexible=None, ev=None) for entry in metered)
    return dataclasses.replace(scenario, participants=plain, instruments=())


@cache
def played(mechanism: str = "cda", population: str = "zi_c", days: int = 1, seed: int = 7) -> RunRecord:
    return simulate(park(mechanism, population), seed, days=days)


@pytest.mark.parametrize("mechanism", ONE_DAY)
def test_what_is_bought_is_sold_and_money_goes_round(mechanism: str) -> None:
    record = played(mechanism)
    assert (record.bought_lots.sum(axis=0) == record.sold_lots.sum(axis=0)).all()
    supply = record.generation_wh.sum(axis=0) + record.discharge_wh.sum(axis=0) + record.import_wh
    use = record.load_wh.sum(axis=0) + record.charge_wh.sum(axis=0) + record.export_wh + record.loss_wh
    assert (supply == use).all()
    trades = record.trades
    value_micro = int((trades["price_ticks"] * trades["quantity_lots"]).sum()) * POWER_MULTIPLIER_MICRO
    assert int(record.bought_lots.sum()) == int(trades["quantity_lots"].sum())
    bought = np.zeros(record.n_participants, np.int64)
    np.add.at(bought, trades["buyer"], trades["price_ticks"] * trades["quantity_lots"] * POWER_MULTIPLIER_MICRO)
    assert int(bought.sum()) == value_micro
    # What members pay beyond the trades is what the mechanism keeps, and what its environment component moves cancels out.
    assert int(record.trade_micro.sum()) == pytest.approx(int(record.operator_micro.sum()), abs=2 * record.n_participants)


@pytest.mark.parametrize("mechanism", ["cda", "uniform"])
def test_what_was_wanted_is_a_whole_position(mechanism: str) -> None:
    """With perfect forecasts it is what the meters show, whatever was bought before the last round."""
    scenario = without_devices(load_scenario("park", {"market.mechanism": mechanism, "population.default": "truthful", "forecast.error": "0"}))
    record = simulate(scenario, 7)
    net_wh = record.load_wh - record.generation_wh
    assert (record.want_buy_lots == np.maximum(net_wh, 0) // POWER_LOT_WH).all()
    assert (record.want_sell_lots == np.maximum(-net_wh, 0) // POWER_LOT_WH).all()
    assert (record.bought_lots <= record.want_buy_lots).all()
    figures = theory_measures(record)
    efficiency, volume = figures["allocative_efficiency_percent"], figures["volume_against_equilibrium_percent"]
    assert efficiency is not None
    assert volume is not None
    assert 95 < efficiency <= 100
    assert 90 < volume < 110


@pytest.mark.parametrize("minutes", ["10", "15"])
def test_an_opening_auction_trades_at_its_end_though_nobody_speaks(minutes: str) -> None:
    """Who quotes the truth and knows everything beforehand never changes an order: no command carries the clock over the auction's end."""
    quiet = {"population.default": "truthful", "forecast.error": "0", "market.opening_auction_minutes": minutes}
    record = simulate(without_devices(load_scenario("park", quiet)), 7, days=2)
    trades, quotes = record.trades, record.quotes
    assert (trades["taker_side"] == 255).all()
    assert set(record.day_of_period[trades["period"]].tolist()) == {0, 1}
    for period in np.unique(trades["period"]).tolist():
        assert len(set(trades["price_ticks"][trades["period"] == period].tolist())) == 1
    later = quotes[(quotes["round"] > 0) & (quotes["bid_ticks"] >= 0) & (quotes["ask_ticks"] >= 0)]
    assert (later["bid_ticks"] < later["ask_ticks"]).all()
    assert int(trades["quantity_lots"].sum()) == int(record.bought_lots.sum())


def test_no_order_of_a_one_shot_mechanism_stays_in_a_book() -> None:
    """Also at the first round, where continuous books of this scenario are in their opening auction."""
    record = played("uniform")
    assert set(record.quotes["bid_ticks"].tolist()) == set(record.quotes["ask_ticks"].tolist()) == {-1}
    assert (record.trades["round"] == 0).any()


@pytest.mark.parametrize("mechanism", ONE_DAY)
def test_no_energy_is_certified_twice(mechanism: str) -> None:
    record = played(mechanism)
    assert int(record.issued_wh.sum()) == int(record.generation_wh.sum())
    assert record.double_claims == 0
    assert (record.matched_wh <= record.load_wh + record.charge_wh).all()
    assert (record.matched_wh.sum(axis=0) <= record.generation_wh.sum(axis=0)).all()


@pytest.mark.parametrize("mechanism", ["cda", "mcafee"])
def test_every_invariant_holds_at_every_moment(mechanism: str) -> None:
    """Money, holds, units, books, registry: the checks of the exchange after each round, delivery, settlement."""
    rounds = {"market.day_ahead_rounds": "1", "market.rounds_before_gate_minutes": "60", "market.opening_auction_minutes": "0"}
    scenario = load_scenario("park", {"market.mechanism": mechanism} | rounds)
    some = tuple(entry for entry in scenario.participants if entry.id in {"E01", "E08", "PV01", "S01", "MM1"})
    few = dataclasses.replace(scenario, participants=some)
    assert simulate(few, 7, check=True).state_hash == simulate(few, 7).state_hash


def test_imbalance_is_the_meter_less_the_position() -> None:
    record = played()
    net = record.generation_wh + record.discharge_wh - record.load_wh - record.charge_wh
    assert (net + (record.bought_lots - record.sold_lots) * POWER_LOT_WH == record.surplus_wh - record.deficit_wh).all()
    assert not (record.surplus_wh * record.deficit_wh).any()


def test_no_rule_of_the_market_moves_the_world() -> None:
    plain, other = (
        simulate(without_devices(scenario), 7) for scenario in (park(), park("uniform", "truthful", gate_closure_minutes="60"))
    )  # fmt: skip
    for name in ("load_wh", "generation_wh", "deficit_price_ticks", "value_ticks", "cost_ticks"):
        assert (getattr(plain, name) == getattr(other, name)).all()
    assert plain.event_hash != other.event_hash


def test_equal_runs_end_in_equal_hashes_and_other_seeds_in_others() -> None:
    again = simulate(park(), 7)
    first = played()
    assert (again.state_hash, again.event_hash, again.journal_hash) == (first.state_hash, first.event_hash, first.journal_hash)
    assert (again.trades == first.trades).all()
    assert played(seed=8).state_hash != first.state_hash


def test_a_longer_run_begins_as_the_shorter_one() -> None:
    short, long = (simulate(without_devices(park("cda", "zip")), 7, days=days) for days in (1, 2))
    periods = short.n_periods
    assert (long.bought_lots[:, :periods] == short.bought_lots).all()
    assert (long.bill_market_micro[:, 0] == short.bill_market_micro[:, 0]).all()
    assert long.n_periods == 2 * periods


def test_the_journal_of_a_run_replays_to_its_hashes(tmp_path: Path) -> None:
    record = simulate(park("mcafee"), 7, journal_directory=tmp_path / "journal")
    reader = JournalReader.open(tmp_path / "journal")
    exchange = Exchange(reader.genesis)
    replay_into(exchange, reader)
    assert canonical.state_hash(exchange).hex() == record.state_hash
    assert reader.chain_hash == record.journal_hash == played("mcafee").journal_hash


@pytest.mark.parametrize("population", [name for name, entry in CATALOGUE.items() if entry.is_rational and entry.kind and name != "market_maker"])
def test_no_rational_population_trades_beyond_its_limits(population: str) -> None:
    trades = (record := played("cda", population)).trades
    assert len(trades)
    assert (trades["price_ticks"] <= record.value_ticks[trades["buyer"], trades["period"]]).all()
    assert (trades["price_ticks"] >= record.cost_ticks[trades["seller"], trades["period"]]).all()


def test_prices_and_quantities_keep_their_steps() -> None:
    record = simulate(park(tick_cny_per_kwh="0.005", lot_kwh="1"), 7)
    assert len(record.trades)
    assert not (record.trades["price_ticks"] % 50).any()
    assert not (record.trades["quantity_lots"] % 10).any()


@pytest.mark.parametrize(("shown", "hidden"), [("full", "trades"), ("trades", "none")])
def test_what_is_hidden_is_not_heard(shown: str, hidden: str) -> None:
    """Learners act otherwise with what they hear; who learns nothing acts the same."""
    for population, differs in (("zip", True), ("zi_c", False)):
        runs = [simulate(without_devices(park("cda", population, transparency=name)), 7) for name in (shown, hidden)]
        assert (runs[0].event_hash != runs[1].event_hash) is differs


def test_each_day_brings_cash_back() -> None:
    poor = tuple(dataclasses.replace(entry, cash_micro=min(entry.cash_micro, 20_000_000_000)) for entry in park().participants)
    record = simulate(dataclasses.replace(park(), participants=poor), 7, days=2)
    assert int(record.bought_lots[:, 96:].sum()) > 0


def test_a_market_maker_trades_on_both_sides_within_its_inventory() -> None:
    record = played()
    makers = [row for row, entry in enumerate(record.scenario.participants) if entry.agent.name == "market_maker"]
    unit_lots = next(parameter.default for parameter in CATALOGUE["market_maker"].parameters if parameter.name == "unit_lots")
    assert record.bought_lots[makers].sum() > 0
    assert record.sold_lots[makers].sum() > 0
    # Two units by what it sees, and one that may fill in the round before its own turn.
    assert np.abs(record.bought_lots[makers] - record.sold_lots[makers]).max() <= 3 * unit_lots


def test_storage_keeps_its_range_and_ends_where_the_next_day_begins() -> None:
    record = played(days=2)
    row = record.scenario.index_of("S01")
    storage = record.scenario.participants[row].storage
    assert storage is not None
    assert record.charge_wh[row].sum() > 0
    assert record.discharge_wh[row].sum() > 0
    assert storage.soc_min_wh <= record.soc_wh[row].min()
    assert record.soc_wh[row].max() <= storage.soc_max_wh
    change_wh = np.diff(record.soc_wh[row], prepend=storage.soc_initial_wh)
    assert ((change_wh > 0) == (record.charge_wh[row] > 0)).all()


def test_programmes_are_worked_off_within_their_limits() -> None:
    record = played(days=2)
    assert len(record.unit_trades)
    for trade in record.unit_trades:
        symbol = record.scenario.instruments[trade["instrument"]].symbol
        for row, buys in ((trade["buyer"], True), (trade["seller"], False)):
            programme = next(one for one in record.scenario.participants[row].programmes if one.symbol == symbol)
            assert (programme.quantity_lots > 0) is buys
            assert (trade["price_ticks"] <= programme.limit_price_ticks) if buys else (trade["price_ticks"] >= programme.limit_price_ticks)


HALF = """
class Half:
    def quote(self, view, side, limit_ticks, rng_bits):
        middle = (view.anchor_low_ticks + view.anchor_high_ticks) // 2
        return min(middle, limit_ticks) if side == "buy" else max(middle, limit_ticks)


class ToldEnough(Half):
    def hear(self, shout, side, limit_ticks):
        if limit_ticks is None:
            raise RuntimeError("has nothing left")


class ToldWanting(Half):
    def hear(self, shout, side, limit_ticks):
        if limit_ticks is not None:
            raise RuntimeError(f"{side} still wants")


class Broken(Half):
    def quote(self, view, side, limit_ticks, rng_bits):
        return limit_ticks / (view.rounds_left - 1)
"""


def test_strategies_of_the_user_trade_beside_the_others(tmp_path: Path) -> None:
    file = tmp_path / "half.py"
    file.write_text(HALF)
    scenario = load_scenario("park", {"member.E01.agent": f"{file}:Half"})
    record = simulate(scenario, 7)
    row = scenario.index_of("E01")
    assert record.bought_lots[row].sum() > 0
    assert simulate(scenario, 7).state_hash == record.state_hash
    with pytest.raises(InputError, match=r"half\.py:\d+: Broken\.quote .*participant E01"):
        simulate(load_scenario("park", {"member.E01.agent": f"{file}:Broken"}), 7)
    for name, message in (("ToldEnough", "has nothing left"), ("ToldWanting", "buy still wants")):
        with pytest.raises(InputError, match=rf"half\.py:\d+: {name}\.hear raised RuntimeError: {message}"):
            simulate(load_scenario("park", {"member.E01.agent": f"{file}:{name}"}), 7)


@pytest.mark.parametrize("mechanism", ["pay-as-bid", "mcafee"])
def test_a_fill_that_the_exchange_refuses_leaves_nothing_behind(mechanism: str) -> None:
    """With next to no cash most of what a mechanism allots cannot be paid for; then nobody pays, and no half of it stays in the book."""
    poor = tuple(dataclasses.replace(entry, cash_micro=min(entry.cash_micro, 50_000_000)) for entry in park(mechanism).participants)
    record = simulate(dataclasses.replace(park(mechanism), participants=poor, instruments=()), 7)
    assert record.refused_orders.sum() > 0
    assert len(record.trades)
    assert (record.quotes["bid_ticks"] == -1).all()
    assert (record.quotes["ask_ticks"] == -1).all()
    assert int(record.trade_micro.sum()) == pytest.approx(int(record.operator_micro.sum()), abs=2 * record.n_participants)
    beyond = (record.trades["buyer_price_ticks"] - record.trades["price_ticks"]) * record.trades["quantity_lots"] * POWER_MULTIPLIER_MICRO
    assert int(record.operator_micro.sum()) == pytest.approx(int(beyond.sum()), rel=0.01)
