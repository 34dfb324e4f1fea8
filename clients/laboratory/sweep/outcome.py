"""From results to the files of a sweep: which measures are asked about, the analysis and its tables on disk."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from clients.laboratory.sweep.analysis import analyse, as_rows, known_measures
from clients.laboratory.sweep.findings import Analysis
from clients.laboratory.sweep.folder import ANALYSIS_NAME, write_csv
from clients.laboratory.sweep.plan import Plan
from clients.laboratory.sweep.points import measure_of
from clients.laboratory.sweep.results import write_json
from clients.laboratory.sweep.task import Result

# Asked where nothing is: what a market is for, what it costs, and what it does for the climate. Those that no run defines are left out.
DEFAULT_MEASURES: Final = (
    "allocative_efficiency_percent", "welfare_efficiency_percent", "traded_kwh", "price_mean_cny_per_kwh", "bill_market_cny", "imbalance_cost_cny",
    "matched_hourly_percent", "self_sufficiency_percent",
)  # fmt: skip


def choose_measures(text: str, results: Iterable[Result]) -> list[str]:
    """Names of a list with commas, or the default ones that a run defines. Raises InputError for a name that no run has."""
    done = [result for result in results if result.is_done]
    if not text:
        return [name for name in DEFAULT_MEASURES if name in known_measures(done) and any(r.measures[name] is not None for r in done)]
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        for result in done[:1]:
            measure_of(result, name)
    return names


def judge(directory: Path, plan: Plan, results: dict[str, Result], measures: str, level: float) -> Analysis:
    """Analyse, write analysis.json and its tables. Raises InputError for a bad measure or level."""
    analysis = analyse(plan, results, choose_measures(measures, results.values()), level)
    write_json(directory / ANALYSIS_NAME, analysis)
    write_csv(directory / "estimates.csv", as_rows(analysis.estimates))
    write_csv(directory / "differences.csv", as_rows(analysis.differences))
    write_csv(directory / "regrets.csv", as_rows(analysis.regrets))
    return analysis
