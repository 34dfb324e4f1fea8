"""One HTML file of a report: texts first, then charts, tables and the scenario; script, style and plotly's bundle are inside.

The file stays under `BYTES_MAX`: where the charts of days would go beyond, fewer days are shown, in the end one of each run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clients.laboratory.report.answer import three_sentences
from clients.laboratory.report.figures.bills import bills_table, savings
from clients.laboratory.report.figures.books import book_heatmap
from clients.laboratory.report.figures.carbon import certificates, green_energy
from clients.laboratory.report.figures.curves import supply_and_demand
from clients.laboratory.report.figures.day import DAYS_SHOWN_MAX, RunDay, run_day, shown_days
from clients.laboratory.report.figures.flows import energy_flows
from clients.laboratory.report.figures.parts import RUN_COLOURS, Figure
from clients.laboratory.report.figures.prices import day_by_day, prices_through_the_day
from clients.laboratory.report.figures.seeds import over_seeds
from clients.laboratory.report.inputs import Evidence
from clients.laboratory.report.markup import Text, embedded_json, escape, words
from clients.laboratory.report.sections import asked, differences, measures_table, repeat, scenario_texts
from clients.laboratory.report.wording import say
from clients.laboratory.run.output import RunOutput
from clients.web import static_files
from exchange.errors import InputError
from exchange.settlement.rendering import Language

BYTES_MAX: Final = 10_000_000
_HERE: Final = Path(__file__).parent / "page"
_HTML_LANGUAGE: Final[dict[Language, str]] = {"en": "en", "zh": "zh-CN"}
_COUPLED: Final = "is_coupled"


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section of the page: its place, its title, its HTML."""

    id: str
    title: Text
    content: str


def build_report(evidence: Evidence, language: Language = "en") -> str:
    """HTML of a report that opens in `language`. Raises InputError where it would not be under BYTES_MAX."""
    for days_shown in (DAYS_SHOWN_MAX, 3, 1):
        page = _page(evidence, language, days_shown)
        if len(page.encode()) < BYTES_MAX:
            return page
    raise InputError(f"report: the charts of {len(evidence.settings)} runs would need more than {BYTES_MAX // 1_000_000} MB; name fewer runs")


def _page(evidence: Evidence, language: Language, days_shown: int) -> str:
    figures = charts(evidence, days_shown)
    drawn = {figure.id: _chart(figure) for figure in figures}
    with_tables = _with_tables(evidence)
    if with_tables:
        drawn["savings"] += "".join(bills_table(label, run) for label, run in with_tables)
    title = say("title_of", name=evidence.name)
    chapters = [
        Chapter("answer", say("answer"), _answer(evidence)),
        Chapter("asked", say("asked"), asked(evidence)),
        *([Chapter("differences", say("differences"), differences(evidence))] if len(evidence.settings) > 1 else []),
        *(Chapter(figure.id, figure.title, drawn[figure.id]) for figure in figures),
        Chapter("measures", say("measures"), measures_table(evidence)),
        Chapter("repeat", say("repeat"), repeat(evidence)),
        Chapter("scenario", say("scenario"), scenario_texts(evidence)),
    ]
    links = "".join(f'<a href="#{chapter.id}">{words(chapter.title)}</a>' for chapter in chapters)
    sections = "".join(f'<section id="{chapter.id}"><h2>{words(chapter.title)}</h2>{chapter.content}</section>' for chapter in chapters)
    return f"""<!DOCTYPE html>
<html lang="{_HTML_LANGUAGE[language]}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<title>{escape(title.zh if language == "zh" else title.en)}</title>
<style>{(_HERE / "report.css").read_text("utf-8")}</style>
</head>
<body data-title-en="{escape(title.en)}" data-title-zh="{escape(title.zh)}">
<header class="top"><span class="brand">parkex</span><h1>{words(title)}</h1>
<div class="tools"><button id="language">{_other_language()}</button><button id="theme">{words(say("theme"))}</button></div></header>
<main><nav>{links}</nav><noscript><p class="warn">{words(say("no_script"))}</p></noscript>{sections}</main>
<footer class="foot"><p>{words(say("offline"))}</p></footer>
<script type="application/json" id="figures">{embedded_json([figure.to_dict() for figure in figures])}</script>
<script>{_plotly()}</script>
<script>{(_HERE / "report.js").read_text("utf-8")}</script>
</body>
</html>
"""


def charts(evidence: Evidence, days_shown: int = DAYS_SHOWN_MAX) -> list[Figure]:
    """All charts that the folders have data for, in the sequence of the page."""
    runs = _with_tables(evidence)
    made: list[Figure] = []
    if len(evidence.observations) > len(evidence.settings):
        made.append(over_seeds(evidence, _measures_with_spread(evidence)))
    if not runs:
        return made
    labels, by_run = _days(runs, days_shown)
    days = [(label, run_days) for (label, _), run_days in zip(runs, by_run, strict=True)]
    made.append(prices_through_the_day(days, labels))
    if all(run.facts["days"] > 1 for _, run in runs):
        made.append(day_by_day(runs))
    is_coupled = any(run.measures.get(_COUPLED) for _, run in runs)
    made += [supply_and_demand(days, labels, is_coupled=is_coupled), book_heatmap(days, labels), energy_flows(runs), savings(runs)]
    made.append(green_energy(days, labels))
    return [*made, *(figure for figure in [certificates(runs)] if figure)]


def _with_tables(evidence: Evidence) -> list[tuple[Text, RunOutput]]:
    """One run of each set of rules, as many as there are colours."""
    if len(evidence.settings) == 1 and evidence.settings[0].run is not None:
        return [(say("this_run"), evidence.settings[0].run)]
    return [(setting.label, setting.run) for setting in evidence.settings if setting.run is not None][: len(RUN_COLOURS)]


def _days(runs: Sequence[tuple[Text, RunOutput]], most: int) -> tuple[list[Text], list[list[RunDay]]]:
    """The days that the first run shows, of all runs that have them."""
    fewest = min(run.facts["days"] for _, run in runs)
    shown = [(day, label) for day, label in shown_days(runs[0][1], most) if day < fewest] or shown_days(runs[0][1], 1)
    return [label for _, label in shown], [[run_day(run, day) for day, _ in shown] for _, run in runs]


def _measures_with_spread(evidence: Evidence) -> list[str]:
    """Measures that are defined somewhere and not the same everywhere; the bills first."""
    names = []
    for name in evidence.measure_names:
        values = {value for setting in range(len(evidence.settings)) for value in evidence.values(name, setting).values()}
        if len(values) > 1:
            names.append(name)
    return sorted(names, key=lambda name: name != "bill_market_cny") or evidence.measure_names[:1]


def _answer(evidence: Evidence) -> str:
    told, on_all = three_sentences(evidence)
    sentences = "".join(f"<li>{words(sentence)}</li>" for sentence in told)
    notes = [on_all, say("one_seed_only") if len(evidence.seeds) == 1 else None]
    below = "".join(f'<p class="note">{words(note)}</p>' for note in notes if note is not None)
    return f'<p class="question">{words(_question(evidence))}</p><ol class="answer">{sentences}</ol>{below}'


def _question(evidence: Evidence) -> Text:
    if len(evidence.settings) == 1:
        return say("asked_one", name=evidence.name)
    return say("asked_many", name=evidence.name, count=len(evidence.settings), base=evidence.settings[0].label)


def _chart(figure: Figure) -> str:
    return (
        f'<p class="note">{words(figure.note)}</p><div class="controls"></div>'
        f'<div class="chart" role="img" aria-label="{escape(figure.title.en)}"></div><p class="said" aria-live="polite"></p>'
    )


def _other_language() -> str:
    """Names the language that a press leads to."""
    return f'<span lang="en">{escape(say("language").en)}</span><span lang="zh-CN">{escape(say("language").zh)}</span>'


def _plotly() -> str:
    """The bundle, safe inside a script element."""
    (bundle,) = static_files().values()
    return bundle.read_text("utf-8").replace("</script", "<\\/script")
