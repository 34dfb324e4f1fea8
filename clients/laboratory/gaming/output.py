"""The folder of a suite: gaming.json with every figure and what repeats it, gains.csv with a row for each manipulation and seed, scenario.toml."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from clients.laboratory.gaming.play import Outcome
from clients.laboratory.gaming.suite import SUITE
from clients.laboratory.gaming.verdicts import Gain
from clients.laboratory.run.output import versions
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.scenario.write import scenario_text
from clients.simulator.output import check_empty

FORMAT: Final = "parkex-gaming-1"
_COLUMNS: Final = (
    "name", "seed", "gain_micro", "others_lose_micro", "operator_gains_micro", "extent_wh", "refused_orders", "wrongly_certified_wh",
    "honest_bill_micro", "state_hash",
)  # fmt: skip


def content_of(scenario: Scenario, seeds: Sequence[int], gains: Sequence[Gain], skipped: dict[str, str]) -> dict[str, Any]:
    """What --json prints and gaming.json holds."""
    return {
        "format": FORMAT,
        "scenario": scenario.name,
        "mechanism": scenario.market.mechanism,
        "days": scenario.days,
        "seeds": list(seeds),
        "manipulations": [{"what": SUITE[gain.name].what, **asdict(gain)} for gain in gains],
        "not_tried": skipped,
        "versions": versions(),
    }


def write_gaming(directory: Path, scenario: Scenario, content: dict[str, Any], outcomes: Sequence[Outcome]) -> None:
    """Into a new or empty folder; gaming.json comes last. Raises InputError where it is neither."""
    check_empty(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "scenario.toml").write_text(scenario_text(scenario), "utf-8")
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows([getattr(one, column) for column in _COLUMNS] for one in outcomes)
    (directory / "gains.csv").write_text(table.getvalue(), "utf-8")
    (directory / "gaming.json").write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
