"""Charts against the record they are drawn from."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clients.laboratory.report.build import charts
from clients.laboratory.report.figures.bills import bills_of, bills_table
from clients.laboratory.report.figures.day import DAYS_SHOWN_MAX, run_day, shown_days
from clients.laboratory.report.figures.flows import NODES_MAX, sides
from clients.laboratory.report.figures.parts import Figure, plain, words
from clients.laboratory.report.inputs import Evidence, read_evidence
from clients.laboratory.report.markup import Text
from clients.laboratory.run.output import RunOutput
from clients.laboratory.run.record import RunRecord
from tests.clients.laboratory.report.folders import renamed, run_folder
from tests.clients.laboratory.report.park_day import PERIODS, park_record

DAYS = 2


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return park_record(days=DAYS, seed=3)


@pytest.fixture(scope="module")
def evidence(record: RunRecord, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return read_evidence([run_folder(tmp_path_factory.mktemp("figures") / "run", record)])


@pytest.fixture(scope="module")
def run(evidence: Evidence) -> RunOutput:
    return evidence.runs[0]


@pytest.fixture(scope="module")
def figures(evidence: Evidence) -> dict[str, Figure]:
    return {figure.id: figure for figure in charts(evidence)}


def test_one_run_has_every_chart_but_seeds(figures: dict[str, Figure]) -> None:
    assert list(figures) == ["prices", "days", "curves", "book", "flows", "savings", "carbon", "certificates"]


def test_every_choice_has_a_view(figures: dict[str, Figure]) -> None:
    for figure in figures.values():
        wanted = {()}
        for control in figure.controls:
            wanted = {(*chosen, at) for chosen in wanted for at in range(len(control.options))}
        if figure.controls:
            assert set(figure.views) == {",".join(map(str, chosen)) for chosen in wanted}, figure.id
        assert all(len(view["traces"]) == len(figure.traces) for view in figure.views.values())


def test_every_axis_has_a_name_in_both_languages(figures: dict[str, Figure]) -> None:
    for figure in figures.values():
        axes = {name: content for name, content in figure.layout.items() if "axis" in name}
        assert all("title" in content for name, content in axes.items() if name.startswith("x")), figure.id
        for content in axes.values():
            if "title" in content:
                assert set(content["title"]["text"]) == {"en", "zh"}


def test_prices_are_the_average_of_trades(figures: dict[str, Figure], record: RunRecord) -> None:
    price, volume = figures["prices"].views["1"]["traces"][2:]
    noon = PERIODS + 48
    trades = record.trades[record.trades["period"] == noon]
    assert volume["y"][48] == pytest.approx(int(trades["quantity_lots"].sum()) / 10, rel=1e-5)
    average = (trades["price_ticks"] * trades["quantity_lots"]).sum() / trades["quantity_lots"].sum() / 10_000
    assert price["y"][48] == pytest.approx(average, rel=1e-5)
    quiet = next(t for t in range(PERIODS) if not (record.trades["period"] == PERIODS + t).any())
    assert price["y"][quiet] is None
    assert figures["prices"].views["1"]["traces"][0]["x"][0] == "2026-07-16T00:00"


def test_curves_hold_what_was_wanted(figures: dict[str, Figure], record: RunRecord) -> None:
    demand, supply, crossing, traded = figures["curves"].views["0,0,48"]["traces"]
    assert demand["x"][-1] == pytest.approx(record.want_buy_lots[:, 48].sum() / 10)
    assert supply["x"][-1] == pytest.approx(record.want_sell_lots[:, 48].sum() / 10)
    assert demand["y"] == sorted(demand["y"], reverse=True)
    assert supply["y"] == sorted(supply["y"])
    assert traded["x"] == crossing["x"], "the hand-made market trades all that gains"


def test_curves_begin_at_the_busiest_quarter_hour(figures: dict[str, Figure], record: RunRecord) -> None:
    lots = [int(record.trades["quantity_lots"][record.trades["period"] == t].sum()) for t in range(PERIODS)]
    assert lots[figures["curves"].controls[2].first] == max(lots)


def test_a_quarter_hour_without_gain_is_said(figures: dict[str, Figure], record: RunRecord) -> None:
    apart = next(t for t in range(PERIODS) if not (record.trades["period"] == t).any())
    view = figures["curves"].views[f"0,0,{apart}"]
    assert view["say"]["en"].startswith("The curves do not cross")
    assert view["traces"][2] == {"x": [], "y": []}


def test_the_book_is_the_quotes(figures: dict[str, Figure], record: RunRecord) -> None:
    (spread,) = figures["book"].views["0,1,0"]["traces"]
    quote = record.quotes[(record.quotes["period"] == PERIODS + 30) & (record.quotes["round"] == 4)][0]
    assert spread["z"][4][30] == pytest.approx((quote["ask_ticks"] - quote["bid_ticks"]) / 10_000, rel=1e-3)
    assert set(spread["z"][0]) == {None}, "in the first round nobody offers"
    assert spread["y"][9]["en"] == "10: 1 h before"


def test_energy_flows_balance_and_are_those_of_the_record(figures: dict[str, Figure], record: RunRecord) -> None:
    link = figures["flows"].views["0"]["traces"][0]["link"]
    n_nodes = len(figures["flows"].views["0"]["traces"][0]["node"]["label"])
    into, out = np.zeros(n_nodes), np.zeros(n_nodes)
    np.add.at(into, link["target"], link["value"])
    np.add.at(out, link["source"], link["value"])
    inner = (into > 0) & (out > 0)
    assert inner.sum() == 2
    assert into[inner] == pytest.approx(out[inner], rel=1e-4)
    given_wh = (record.generation_wh + record.discharge_wh).sum() + record.import_wh.sum()
    taken_wh = (record.load_wh + record.charge_wh).sum() + record.export_wh.sum() + record.loss_wh.sum()
    assert out[into == 0].sum() == pytest.approx(given_wh / 1000, rel=1e-4)
    assert into[out == 0].sum() == pytest.approx(taken_wh / 1000, rel=1e-4)


def test_small_participants_are_taken_together(run: RunOutput, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = sides(run)[1]
    monkeypatch.setattr("clients.laboratory.report.figures.flows.NODES_MAX", 3)
    few = sides(run)[1]
    assert len(everybody) <= NODES_MAX
    assert len(few) == 3
    assert few[-1].label.en == f"{len(everybody) - 2} others"
    assert sum(node.total_wh for node in few) == sum(node.total_wh for node in everybody)
    assert sum(node.own_wh for node in few) == sum(node.own_wh for node in everybody)


def test_bills_are_those_of_the_record(run: RunOutput, record: RunRecord) -> None:
    bills = bills_of(run)
    assert sum(bill.market_micro for bill in bills) == int(record.bill_market_micro.sum())
    saved = sum(bill.saved_micro for bill in bills)
    assert saved / 1e6 == pytest.approx(run.measures["saving_against_pool_cny"])


def test_participants_of_one_name_are_two_bars(tmp_path: Path) -> None:
    record = renamed(park_record(), "Battery assembly")
    figures = {figure.id: figure for figure in charts(read_evidence([run_folder(tmp_path / "run", record)]))}
    bars = figures["savings"]
    assert [name["en"] for name in bars.traces[0]["customdata"]].count("Battery assembly") == 2
    assert bars.traces[0]["y"] == list(range(record.n_participants)) == bars.layout["yaxis"]["tickvals"]


def test_who_loses_stands_first(run: RunOutput) -> None:
    html = bills_table(Text("a", "a"), run)
    loser = min(bills_of(run), key=lambda bill: bill.saved_micro)
    assert html.index(loser.name.en) == min(html.index(bill.name.en) for bill in bills_of(run))


def test_green_energy_and_the_rest_are_the_use(figures: dict[str, Figure], record: RunRecord) -> None:
    matched, rest, _ = figures["carbon"].views["0,0"]["traces"]
    used_wh = (record.load_wh + record.charge_wh)[:, 48].sum()
    assert record.charge_wh[:, 48].any()
    assert matched["y"][48] + rest["y"][48] == pytest.approx(used_wh / 250, rel=1e-4)


def test_certificates_are_those_of_the_record(figures: dict[str, Figure], record: RunRecord) -> None:
    by_name = dict(zip([trace["name"]["en"] for trace in figures["certificates"].traces], figures["certificates"].views["0"]["traces"], strict=True))
    assert sum(by_name["issued"]["x"]) == pytest.approx(record.issued_wh.sum() / 1000, rel=1e-4)
    assert sum(by_name["claimed for own use"]["x"]) == pytest.approx(record.claimed_wh.sum() / 1000, rel=1e-4)


def test_of_a_long_run_three_days_are_shown(tmp_path: Path) -> None:
    record = park_record(days=DAYS_SHOWN_MAX + 1)
    evidence = read_evidence([run_folder(tmp_path / "run", record)])
    lots = np.bincount(record.trades["period"] // PERIODS, record.trades["quantity_lots"])
    median, least, most = (day for day, _ in shown_days(evidence.runs[0]))
    assert lots[least] == lots.min()
    assert lots[most] == lots.max()
    assert sorted(lots)[(DAYS_SHOWN_MAX + 1) // 2] == lots[median]
    assert run_day(evidence.runs[0], most).first == most * PERIODS
    assert len(shown_days(evidence.runs[0], 1)) == 1


def test_points_of_the_same_seed_stand_at_the_same_height(tmp_path: Path) -> None:
    runs = [
        run_folder(tmp_path / f"{gate}-{seed}", park_record(seed=seed, overrides={"market.gate_closure_minutes": gate}), bill_market_cny=float(seed))
        for gate in ("5", "15")
        for seed in (1, 2, 3)
    ]
    seeds = charts(read_evidence(runs))[0]
    first, _, second, mean = seeds.views["0"]["traces"]
    assert first["x"] == second["x"] == [1, 2, 3]
    assert len(set(first["y"])) == 3
    assert [high - low for low, high in zip(first["y"], second["y"], strict=True)] == pytest.approx([1, 1, 1])
    assert mean == {"x": [2], "y": [1]}


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for entry in value.values() for text in _texts(entry)]
    if isinstance(value, list):
        return [text for entry in value for text in _texts(entry)]
    return [value] if isinstance(value, str) else []


def test_names_of_a_scenario_are_no_markup_in_a_chart(tmp_path: Path) -> None:
    name = '<a href="x">&%{x}</a>'
    evidence = read_evidence([run_folder(tmp_path / "run", renamed(park_record(), name))])
    texts = [text for figure in charts(evidence) for text in _texts(figure.to_dict())]
    assert any("&lt;a" in text for text in texts)
    assert not any("<a" in text for text in texts)


def test_numbers_for_the_page() -> None:
    assert plain([1.0, 0.123456789, float("nan"), 1e9]) == [1, 0.123457, None, 1_000_000_000]
    assert words(Text("a<b", "甲&乙")) == {"en": "a&lt;b", "zh": "甲&amp;乙"}


def test_a_run_without_trades_is_drawn(tmp_path: Path) -> None:
    record = park_record()
    nothing = np.zeros_like(record.bought_lots)
    idle = replace(record, trades=record.trades[:0], quotes=record.quotes[:0], bought_lots=nothing, sold_lots=nothing)
    evidence = read_evidence([run_folder(tmp_path / "run", idle)])
    figures = {figure.id: figure for figure in charts(evidence)}
    assert set(figures["prices"].views["0"]["traces"][2]["y"]) == {None}
    assert figures["book"].views["0,0,0"]["traces"][0]["z"] == []
    assert figures["curves"].views["0,0,48"]["say"]["en"].endswith("nothing was traded.")
