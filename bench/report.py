"""The results so far: the trend over commits as text, and with the latency histograms as one HTML file that needs nothing else.

    python -m bench.report [--results DIR] [--output out-bench] [--last 12]

Reads what the other commands appended to bench/results and writes OUTPUT/report.html. A line whose benchmark this version does not know is
left out of the charts and counted below the table.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from rich.console import Console
from rich.table import Table

from bench.cycles import bin_edges_ns
from bench.record import RESULTS

RATIO_BENCHMARKS: Final = ("matching", "order_path")  # to the floor, by stream


@dataclass(frozen=True)
class Point:
    """One figure of one run. `low` and `high` are its range over the pairs of the run, or the figure itself."""

    benchmark: str
    series: str
    unit: str
    commit: str
    machine: str
    value: float
    low: float
    high: float
    detail: str


@dataclass(frozen=True)
class Results:
    """What the files hold, in the sequence in which it was appended."""

    points: list[Point]
    histograms: dict[str, tuple[str, list[int]]]  # by series: commit and counts of the newest
    n_unknown: int


def read_lines(directory: Path) -> Iterator[dict[str, Any]]:
    """Every line of every file. Raises ValueError or TypeError naming file and line of one that is no JSON object."""
    for path in sorted(directory.glob("*.jsonl")):
        for number, text in enumerate(path.read_text().splitlines(), 1):
            try:
                line = json.loads(text)
            except json.JSONDecodeError as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from None
            if not isinstance(line, dict):
                raise TypeError(f"{path.name}, line {number}: not an object")
            yield line


def points_of(line: dict[str, Any]) -> list[Point]:
    """The figures of one line; none for a benchmark that has no trend here."""
    run = (line["commit"], line["machine"])
    if line["benchmark"] in RATIO_BENCHMARKS and line.get("ratio") is not None:
        low, high = line.get("ratio_range", [line["ratio"]] * 2)
        percentiles = (f", {name} {value}" for name, value in (line.get("latency_ns") or {}).items())
        return [
            Point(
                line["benchmark"],
                series_of(line),
                "floors",
                *run,
                line["ratio"],
                low,
                high,
                f"{line['ns_per_message']['median']} ns" + "".join(percentiles),
            )
        ]
    if line["benchmark"] == "replay":
        rates = {way: rate / 1e6 for way, rate in line["commands_per_s"].items()}
        return [
            Point("replay", f"replay {way.replace('_', ' ')}", "M commands/s", *run, rate, rate, rate, line["stream"]) for way, rate in rates.items()
        ]
    if line["benchmark"] == "scale":
        return [depth_point(line["depth"], *run), books_point(line["books"], *run)]
    return []


def depth_point(depth: dict[str, Any], commit: str, machine: str) -> Point:
    """What a deep book costs against a shallow one."""
    series = f"{depth['resting']} resting orders against {depth['shallow']}"
    low, high = depth["cost_ratio_range"]
    return Point("scale", series, "times the cost", commit, machine, depth["cost_ratio"], low, high, f"floor {depth['floor_cost_ratio']}")


def books_point(books: dict[str, Any], commit: str, machine: str) -> Point:
    """What many books take."""
    megabytes = books["process_mb"]
    return Point(
        "scale", f"{books['books']} open books", "MB", commit, machine, megabytes, megabytes, megabytes, f"opening one {books['open_us']['mean']} us"
    )


def series_of(line: dict[str, Any]) -> str:
    """What a line measures, the same for every commit: the standard streams were once files."""
    stream = {"s1.bin": "stream 1", "s2.bin": "stream 2"}.get(line["stream"], line["stream"])
    ids = line.get("ids", "dense")
    return f"{line['benchmark']} {stream}" + ("" if ids == "dense" else f", ids of the {ids}")


def read_results(directory: Path) -> Results:
    """All points, and the newest latency histogram of each series."""
    points: list[Point] = []
    histograms: dict[str, tuple[str, list[int]]] = {}
    n_unknown = 0
    for line in read_lines(directory):
        found = points_of(line)
        points += found
        if "latency_histogram" in line:
            histograms[series_of(line)] = (line["commit"], line["latency_histogram"])
        n_unknown += not found and "latency_histogram" not in line
    return Results(points, histograms, n_unknown)


def by_series(points: list[Point]) -> dict[str, list[Point]]:
    """Points of each series in their sequence."""
    series: dict[str, list[Point]] = {}
    for point in points:
        series.setdefault(point.series, []).append(point)
    return series


def show_table(results: Results, n_last: int, console: Console) -> None:
    """The last points of each series as a table for the terminal."""
    table = Table("what", "commit", "figure", "range", "beside it", title="Benchmarks, newest last")
    for series, points in by_series(results.points).items():
        for index, point in enumerate(points[-n_last:]):
            spread = "" if point.low == point.high else f"{point.low:g} to {point.high:g}"
            figure = f"{point.value:.4g} {point.unit}"
            table.add_row("" if index else series, point.commit, figure, spread, point.detail, end_section=point is points[-1])
    console.print(table)
    if results.n_unknown:
        console.print(f"{results.n_unknown} more lines have no trend here (journal, startup, peers, or without a floor)")


def trend_figure(title: str, unit: str, series: dict[str, list[Point]], commits: list[str]) -> go.Figure:
    """Series of one unit over the commits in the sequence of their first results; each run is a point with its range as a bar."""
    figure = go.Figure(layout={"title": {"text": title}, "template": "plotly_white", "yaxis_title": unit, "height": 420, "showlegend": True})
    for name, points in series.items():
        figure.add_scatter(
            x=[point.commit for point in points],
            y=[point.value for point in points],
            name=name,
            mode="lines+markers",
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [point.high - point.value for point in points],
                "arrayminus": [point.value - point.low for point in points],
            },
            text=[f"{point.machine}<br>{point.detail}" for point in points],
        )
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=commits, title="commit")
    figure.update_yaxes(rangemode="tozero")
    return figure


def trend_figures(points: list[Point]) -> list[go.Figure]:
    """One chart for each benchmark and unit, so that a slow path does not press a fast one flat."""
    commits = list(dict.fromkeys(point.commit for point in points))
    charts: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        charts.setdefault((point.benchmark, point.unit), []).append(point)
    return [trend_figure(f"{name.replace('_', ' ')}, {unit}", unit, by_series(found), commits) for (name, unit), found in charts.items()]


def histogram_figure(histograms: dict[str, tuple[str, list[int]]]) -> go.Figure:
    """Share of the messages by latency, logarithmic both ways: the tail is what one looks for."""
    title = "Latency of one message, newest run of each series"
    figure = go.Figure(layout={"title": {"text": title}, "template": "plotly_white", "xaxis_title": "ns", "yaxis_title": "share", "height": 480})
    for name, (commit, counts) in histograms.items():
        total = sum(counts)
        figure.add_scatter(
            x=bin_edges_ns(len(counts)), y=[count / total if count else None for count in counts], name=f"{name} ({commit})", line_shape="hv"
        )
    figure.update_xaxes(type="log")
    figure.update_yaxes(type="log", tickformat=".0e")
    return figure


def write_html(results: Results, path: Path) -> None:
    """One page with every chart and the library that draws them."""
    figures = trend_figures(results.points)
    if results.histograms:
        figures.append(histogram_figure(results.histograms))
    charts = "\n".join(figure.to_html(full_html=False, include_plotlyjs=False) for figure in figures)
    head = f'<meta charset="utf-8"><title>parkex benchmarks</title><script>{get_plotlyjs()}</script>'
    page = f'<!doctype html><html lang="en"><head>{head}</head><body>{charts}</body></html>'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="bench.report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory of the results")
    parser.add_argument("--output", type=Path, default=Path("out-bench"), help="directory of the report")
    parser.add_argument("--last", type=int, default=12, help="points of each series in the table")
    options = parser.parse_args(arguments)
    if options.last < 1:
        parser.error("--last is 1 or more")
    try:
        results = read_results(options.results)
    except (ValueError, KeyError, TypeError) as error:
        parser.error(f"a result cannot be read: {error}")
    if not results.points:
        parser.error(f"no results with a trend in {options.results}")
    show_table(results, options.last, Console())
    path = options.output / "report.html"
    write_html(results, path)
    print(f"charts in {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
