"""The parts of a report that are text and tables: what was asked, differences, measures, how to repeat, scenarios."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from clients.laboratory.report.answer import Difference, Verdict, compare, difference_text, p_text
from clients.laboratory.report.inputs import Evidence, cell_label, flat_scenario
from clients.laboratory.report.markup import Text, escape, same, table, words
from clients.laboratory.report.measure_names import FAMILIES, NAMES, format_value, meaning, measure_name, unit
from clients.laboratory.report.wording import RULES, joined, rule_name, say
from clients.laboratory.run.output import RunOutput
from clients.laboratory.sweep.findings import Analysis

_KEYS_SHOWN_MAX: Final = 40
_SEEDS_LISTED_MAX: Final = 8
# What is compared in the table of differences, where it is defined.
_COMPARED: Final = (
    "bill_market_cny", "saving_against_pool_cny", "participants_losing", "fees_cny", "imbalance_cost_cny", "traded_kwh", "price_mean_cny_per_kwh",
    "allocative_efficiency_percent", "fill_rate_percent", "spread_cny_per_kwh", "matched_hourly_percent", "emissions_location_t",
    "peak_import_kw", "gini",
)  # fmt: skip


def asked(evidence: Evidence) -> str:
    """Period, seeds and rules, and what differs."""
    parts = [f"<p>{words(_facts(evidence))}</p>"]
    if evidence.sweep is not None:
        done = sum(result.is_done for result in evidence.sweep.results)
        if evidence.sweep.analysis is None:
            parts.append(f'<p class="warn">{words(say("unfinished", done=done, planned=evidence.sweep.n_planned))}</p>')
        failed = [result.reason for result in evidence.sweep.results if not result.is_done]
        if failed:
            parts.append(f'<p class="warn">{words(say("failed_runs", count=len(failed), reason=failed[0]))}</p>')
    labels = [setting.label for setting in evidence.settings]
    if evidence.differing:
        shown = list(evidence.differing.items())[:_KEYS_SHOWN_MAX]
        rows: list[list[Text | str]] = [[rule_name(key), *(value or say("not_set") for value in values)] for key, values in shown]
        head, n_names = [say("rule"), *labels], 1 + len(labels)
        if len(labels) > len(rows):  # many rules that differ in a few keys read better downwards
            head = [say("setting"), *(rule_name(key) for key, _ in shown)]
            rows = [[label, *(values[at] or say("not_set") for _, values in shown)] for at, label in enumerate(labels)]
            n_names = 1 + len(shown)
        parts.append(table(head, rows, n_names=n_names, caption=say("what_differs")))
        if len(evidence.differing) > len(shown):
            parts.append(f'<p class="note">{words(say("and_more", count=len(evidence.differing) - len(shown)))}</p>')
    flat = flat_scenario(evidence.settings[0].scenario_toml, Path("scenario.toml"))
    rules: list[list[Text | str]] = [[rule_name(key), flat[key]] for key in RULES if key in flat and key not in evidence.differing]
    if rules:
        content = table([say("rule"), say("value")], rules, n_names=2)
        parts.append(f"<details><summary>{words(say('rules_in_short'))}</summary>{content}</details>")
    return "".join(parts)


def _facts(evidence: Evidence) -> Text:
    seeds = _seeds(evidence.seeds)
    if evidence.sweep is None:
        first = evidence.runs[0]
        date = first.table("days", ["date"]).column("date")[0].as_py()
        participants = len(first.table("participants", ["participant"]))
        return say("asked_facts", days=first.facts["days"], date=date, participants=participants, seeds=seeds)
    played = joined([same(name) if name else say("as_written") for name in evidence.populations], (", ", "、"))
    populations = say("populations_count", list=played)
    return say("asked_facts_sweep", cells=len(evidence.settings), seeds=seeds, populations=populations, runs=len(evidence.sweep.results))


def _seeds(seeds: list[int]) -> Text:
    if len(seeds) == 1:
        return say("one_seed", seed=seeds[0])
    listed = ", ".join(map(str, seeds)) if len(seeds) <= _SEEDS_LISTED_MAX else f"{seeds[0]} – {seeds[-1]}"
    return say("many_seeds", count=len(seeds), list=listed)


def differences(evidence: Evidence) -> str:
    """Every set of rules against the first on the measures that most ask for, or that the sweep was asked for, and what it tried of responses."""
    analysis = evidence.sweep.analysis if evidence.sweep is not None else None
    names = [name for name in (_COMPARED if analysis is None else analysis.measures) if evidence.values(name, 0)]
    others = evidence.settings[1:]
    head = [say("measure_name"), *([say("setting")] if len(others) > 1 else []), say("verdict"), say("difference"), say("interval_head")]
    rows: list[list[Text | str]] = []
    for name in names:
        for setting, other in enumerate(others, start=1):
            found = compare(evidence, name, setting)
            own = [other.label] if len(others) > 1 else []
            row: list[Text | str] = [measure_name(name), *own, say(found.verdict), *_difference(found)]
            rows.append(row if analysis is None or evidence.sweep is None else row + _of_sweep(analysis, list(evidence.sweep.cells)[setting], found))
    if analysis is not None:
        head += [say("p_holm"), say("detectable")]
    base = evidence.settings[0].label
    compared = say("difference_of", base=base, other=others[0].label) if len(others) == 1 else say("differences_of", base=base)
    caption = joined([compared, say("by_interval" if analysis is None else "by_holm")], ("; ", "；"))
    said = table(head, rows, n_names=3 if len(others) > 1 else 2, caption=caption)
    return said + (_regrets(analysis) if analysis is not None and analysis.regrets else "")


def _of_sweep(analysis: Analysis, cell: str, found: Difference) -> list[Text | str]:
    """Adjusted p, and the smallest difference that so many seeds show, of the population in which it is largest."""
    sizes = [d.detectable for d in analysis.differences if (d.cell, d.measure) == (cell, found.measure) and d.detectable is not None]
    return ["–" if found.p_holm is None else p_text(found.p_holm), difference_text(found.measure, max(sizes), signed=False) if sizes else "–"]


def _difference(found: Difference) -> list[Text | str]:
    if found.spread.mean is None:
        return ["–", "–"]
    mean = difference_text(found.measure, found.spread.mean)
    if found.spread.low is None or found.spread.high is None or found.verdict is Verdict.SAME:
        return [mean, "–"]
    return [mean, say("range", low=format_value(found.measure, found.spread.low), high=format_value(found.measure, found.spread.high))]


def _regrets(analysis: Analysis) -> str:
    head = [say("setting"), say("participant"), say("alternative"), say("gain"), say("interval_head")]
    rows: list[list[Text | str]] = []
    for regret in sorted(analysis.regrets, key=lambda entry: -(entry.gain_cny or 0.0)):
        gain = "–" if regret.gain_cny is None else f"{regret.gain_cny:,.2f}"
        ends = "–" if regret.low is None or regret.high is None else say("range", low=f"{regret.low:,.2f}", high=f"{regret.high:,.2f}")
        rows.append([cell_label(regret.cell), regret.participant, regret.alternative, gain, ends])
    return table(head, rows, n_names=3, caption=say("regrets_caption"))


def measures_table(evidence: Evidence) -> str:
    """All measures of all sets of rules by family, and below what they mean."""
    settings = range(len(evidence.settings))
    head = "".join(f'<th scope="col" class="figure">{words(setting.label)}</th>' for setting in evidence.settings)
    rows = []
    for title, names in _families(evidence):
        rows.append(f'<tr class="family"><th colspan="{len(evidence.settings) + 2}" scope="rowgroup">{words(title)}</th></tr>')
        defined = [name for name in names if any(evidence.values(name, at) for at in settings)]
        for name in defined:
            link = f'<a href="#m-{escape(name)}">{words(measure_name(name))}</a>' if name in NAMES else escape(name)
            cells = "".join(f'<td class="figure">{_mean(evidence, name, at)}</td>' for at in settings)
            rows.append(f'<tr><th scope="row">{link}</th>{cells}<td>{words(unit(name))}</td></tr>')
        if left := [measure_name(name) for name in names if name not in defined]:
            said = say("undefined_here", list=joined(left, ("; ", "；")))
            rows.append(f'<tr><td class="undefined" colspan="{len(evidence.settings) + 2}"><div>{words(said)}</div></td></tr>')
    grid = (
        f'<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">{words(say("measure_name"))}</th>{head}'
        f'<th scope="col">{words(say("unit"))}</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )
    entries = "".join(
        f'<dt id="m-{escape(name)}">{words(measure_name(name))}</dt><dd>{words(meaning(name))} <code>{escape(name)}</code></dd>'
        for _, names in _families(evidence)
        for name in names
        if name in NAMES
    )
    folded = f'<details id="definitions"><summary>{words(say("definitions"))}</summary><dl>{entries}</dl></details>'
    return f'<p class="note">{words(say("measures_note"))}</p>{grid}{folded}'


def _families(evidence: Evidence) -> Iterable[tuple[Text, list[str]]]:
    """Measures that the runs have, by family; those without a name come last under a family without one."""
    known = set(evidence.measure_names)
    for title, names in FAMILIES.items():
        if present := [name for name in names if name in known]:
            yield Text(*title), present
    if others := [name for name in evidence.measure_names if name not in NAMES]:
        yield same("…"), others


def _mean(evidence: Evidence, name: str, setting: int) -> str:
    values = list(evidence.values(name, setting).values())
    return escape(format_value(name, sum(values) / len(values))) if values else words(say("undefined_value"))


def repeat(evidence: Evidence) -> str:
    """One command a run, and what it ends in."""
    parts = [f'<p class="note">{words(say("repeat_note"))}</p>']
    if evidence.runs:
        head = [say("folder"), say("command"), say("state_hash")]
        parts.append(table(head, [[_folder(run), _command(run), run.facts["state_hash"]] for run in evidence.runs], n_names=3))
        versions = ", ".join(f"{name} {version}" for name, version in evidence.runs[0].facts["versions"].items())
        parts.append(f'<p class="note">{words(say("played_with"))}: {escape(versions)}</p>')
    if evidence.sweep is not None:
        parts.append(f"<p><code>{escape(evidence.sweep.command)}</code></p>")
    return "".join(parts)


def _folder(run: RunOutput) -> str:
    return run.directory.resolve().name


def _command(run: RunOutput) -> str:
    return f"parkex simulate {_folder(run)}/scenario.toml --days {run.facts['days']} --seed {run.facts['seed']} --out again"


def scenario_texts(evidence: Evidence) -> str:
    """Every set of rules as the complete TOML that was played."""
    return "".join(
        f"<details><summary>{words(say('scenario_of', run=setting.label))}</summary><pre>{escape(setting.scenario_toml)}</pre></details>"
        for setting in evidence.settings
        if setting.scenario_toml
    )
