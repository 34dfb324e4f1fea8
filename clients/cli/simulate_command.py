"""`parkex simulate`: play a scenario on the virtual clock, write the run, print what it came to."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    from clients.laboratory.scenario.model import Scenario

# A rolling horizon takes one linear program an hour; longer runs ask for it.
WELFARE_DAYS: Final = 2

# The measures that stand on the screen; all of them are in summary.json.
SHOWN: Final = (
    ("traded", "traded_kwh", "kWh"),
    ("mean price", "price_mean_cny_per_kwh", "CNY/kWh"),
    ("allocative efficiency, by the quarter-hour", "allocative_efficiency_percent", "%"),
    ("welfare, between no trade and perfect foresight", "welfare_efficiency_percent", "%"),
    ("bills, each alone at retail", "bill_retail_cny", "CNY"),
    ("bills in a pool without a market", "bill_pool_cny", "CNY"),
    ("bills in this market", "bill_market_cny", "CNY"),
    ("fees", "fees_cny", "CNY"),
    ("imbalance", "imbalance_kwh", "kWh"),
    ("cost of imbalance", "imbalance_cost_cny", "CNY"),
    ("left with the operator by the mechanism", "operator_budget_surplus_cny", "CNY"),
    ("self-sufficiency", "self_sufficiency_percent", "%"),
    ("green energy matched by the hour", "matched_hourly_percent", "%"),
    ("emissions by location", "emissions_location_t", "t"),
    ("emissions by market", "emissions_market_t", "t"),
    ("certificates issued", "certificates_issued_kwh", "kWh"),
    ("energy claimed twice", "double_claims", "claims"),
)


def run_simulate_command(
    scenario: str, days: int | None, seed: int | None, out: Path | None, journal: Path | None, assign: Sequence[str], *, check: bool = False,
    welfare: bool | None = None,
) -> None:  # fmt: skip
    """`welfare`: measure the run against the welfare program, with a truthful twin beside it; None: where it has at most WELFARE_DAYS.

    Raises InputError for a scenario, a strategy or a folder that will not do, before anything is written; CheckFailedError for a broken invariant.
    """
    from clients.laboratory.benchmark.bounds import bounds_of
    from clients.laboratory.measures.measures import measure
    from clients.laboratory.run.engine import simulate
    from clients.laboratory.run.output import write_run
    from clients.laboratory.scenario.overrides import assignments
    from clients.laboratory.scenario.resolve import load_scenario
    from clients.simulator.output import check_empty

    resolved = load_scenario(scenario, assignments(assign))
    for folder in (out, journal):
        if folder is not None:
            check_empty(folder)
    console = Console(stderr=True)
    n_days = resolved.days if days is None else days
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("days"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"{resolved.name}", total=n_days)
        record = simulate(
            resolved, resolved.seed if seed is None else seed, days=n_days, journal_directory=journal, check=check,
            on_day=lambda day: progress.update(task, completed=day),
        )  # fmt: skip
    bounds = None
    if welfare or (welfare is None and n_days <= WELFARE_DAYS):
        with console.status("the same days against the welfare program"):
            bounds = bounds_of(record, truthful=simulate(_truthful(record.scenario), record.seed))
    measures = measure(record, bounds)
    if out is not None:
        write_run(record, out, measures)
    Console().print(_table(resolved.name, record.seed, n_days, record.orders, len(record.trades), measures))
    Console().print(f"state {record.state_hash}")
    if out is not None:
        Console().print(f"Written to {out}: summary.json has every measure; parkex report {out} draws them.")


def _truthful(scenario: "Scenario") -> "Scenario":
    """The scenario with everybody who forms prices of its own saying its limit; who quotes both sides goes on doing so."""
    from clients.laboratory.scenario.model import AgentChoice

    honest = AgentChoice(name="truthful")
    both_sides = ("market_maker", "compliance")
    participants = tuple(entry if entry.agent.name in both_sides else replace(entry, agent=honest) for entry in scenario.participants)
    return replace(scenario, participants=participants)


def _table(name: str, seed: int, days: int, orders: int, trades: int, measures: Mapping[str, float | int | None]) -> Table:
    table = Table(title=f"{name}: {days} day{'s' if days != 1 else ''}, seed {seed}, {orders} orders, {trades} trades", title_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right")
    table.add_column("unit")
    for label, key, unit in SHOWN:
        value = measures[key]
        table.add_row(label, "undefined" if value is None else f"{value:,.3f}".rstrip("0").rstrip("."), unit)
    return table
