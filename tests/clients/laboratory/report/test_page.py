"""The file of a report as text: whole, alone, escaped, small enough."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from clients.cli.report_command import run_report_command
from clients.laboratory.report import build
from clients.laboratory.report.build import BYTES_MAX, build_report
from clients.laboratory.report.inputs import read_evidence
from clients.laboratory.report.markup import Text, embedded_json, same, table, words
from clients.laboratory.sweep.analysis import analyse
from clients.laboratory.sweep.folder import ANALYSIS_NAME
from clients.laboratory.sweep.results import write_json
from exchange.errors import InputError
from tests.clients.laboratory.report.folders import renamed, run_folder, sweep_folder, sweep_plan
from tests.clients.laboratory.report.park_day import park_record

HOSTILE = "</script><img src=x onerror=alert(1)>'\"&\u2028"
# Elements without an end tag.
VOID = {"meta", "img", "br", "link", "input"}


class Structure(HTMLParser):
    """Checks that elements nest, and keeps what matters of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.names: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "action"}]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_folder(tmp_path_factory.mktemp("page") / "run", park_record(days=2))


@pytest.fixture(scope="module")
def page(run: Path) -> str:
    return build_report(read_evidence([run]))


def test_a_page_is_well_formed_and_links_to_nothing_outside(page: str) -> None:
    structure = Structure(page)
    assert all(address.startswith("#") for address in structure.addresses)
    assert {address[1:] for address in structure.addresses} <= set(structure.ids)
    assert len(structure.ids) == len(set(structure.ids))
    assert "default-src 'none'" in page


def test_a_page_is_under_its_limit(page: str) -> None:
    assert len(page.encode()) < BYTES_MAX


def test_a_page_tells_all_that_was_asked_for(page: str) -> None:
    for place in ("answer", "asked", "prices", "curves", "book", "flows", "savings", "carbon", "measures", "repeat", "scenario"):
        assert f'<section id="{place}">' in page
    for text in ("The answer", "结论", "gate_closure_minutes = 5", "parkex simulate run/scenario.toml --days 2 --seed 1"):
        assert text in page


@pytest.mark.parametrize(("language", "tag", "title"), [("en", "en", "demo park, Zhengzhou: results"), ("zh", "zh-CN", "郑州零碳示范园区：结果")])
def test_a_page_opens_in_a_language(run: Path, language: str, tag: str, title: str) -> None:
    page = build_report(read_evidence([run]), language)  # type: ignore[arg-type]
    assert f'<html lang="{tag}">' in page
    assert title in re.findall(r"<title>(.*?)</title>", page)[0]


def test_what_comes_from_a_file_is_escaped(tmp_path: Path) -> None:
    page = build_report(read_evidence([run_folder(tmp_path / "run", renamed(park_record(), HOSTILE))]))
    structure = Structure(page)
    assert "img" not in structure.names
    assert "<img" not in page.partition('id="figures">')[0] + page.partition('id="figures">')[2].partition("</script>")[0]
    assert structure.names.count("script") == 3


def test_a_name_of_a_folder_is_escaped(tmp_path: Path) -> None:
    page = build_report(read_evidence([run_folder(tmp_path / "<b>x", park_record())]))
    assert "<b>x" not in page
    assert "&lt;b&gt;x" in page


def test_a_page_of_a_sweep(tmp_path: Path) -> None:
    plan = sweep_plan(seeds=4)
    measures = {(t.cell, t.population, t.seed): {"bill_market_cny": 100.0 + t.seed + 5 * (t.cell != "baseline")} for t in plan.tasks}
    results = sweep_folder(tmp_path / "sweep", plan, measures)
    unfinished = build_report(read_evidence([tmp_path / "sweep"]))
    assert "The sweep has not ended: 8 of 8 runs are there." in unfinished
    write_json(tmp_path / "sweep" / ANALYSIS_NAME, analyse(plan, results, ["bill_market_cny"]))
    page = build_report(read_evidence([tmp_path / "sweep"]))
    Structure(page)
    assert "The sweep has not ended" not in page
    assert "“gate closure 15 min” raises bills by 5.00 CNY (95% interval 5.00 to 5.00, 4 paired seeds, p &lt; 0.001 after Holm&#x27;s" in page
    assert '<section id="seeds">' in page
    assert '<section id="prices">' not in page
    assert "parkex sweep park --set market.gate_closure_minutes=5,15 --seeds 4 --first-seed 1" in page


def test_fewer_days_are_shown_before_a_page_grows_too_large(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = read_evidence([run])
    two_days, one_day = (len(build._page(evidence, "en", days).encode()) for days in (2, 1))
    monkeypatch.setattr(build, "BYTES_MAX", (two_days + one_day) // 2)
    assert len(build_report(evidence).encode()) == one_day
    monkeypatch.setattr(build, "BYTES_MAX", one_day)
    with pytest.raises(InputError, match="name fewer runs"):
        build_report(evidence)


def test_a_report_is_the_same_every_time(run: Path, page: str) -> None:
    assert build_report(read_evidence([run])) == page


def test_json_in_a_script_ends_no_script() -> None:
    text = embedded_json({"name": HOSTILE, "value": [1, None]})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"name": HOSTILE, "value": [1, None]}


def test_words_are_escaped_in_both_languages() -> None:
    assert words(Text("a<b", "甲>乙")) == '<span lang="en">a&lt;b</span><span lang="zh-CN">甲&gt;乙</span>'
    assert words(same("a&b")) == "a&amp;b"
    assert "<td>&lt;i&gt;</td>" in table(["a", "b"], [["x", "<i>"]], n_names=2)


def test_the_command_writes_a_file_and_says_where(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_report_command([run], tmp_path / "report.html", "zh")
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'report.html'}: 5.")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("out", [".", "missing/report.html"])
def test_a_place_that_cannot_be_written_is_named(run: Path, tmp_path: Path, out: str) -> None:
    with pytest.raises(InputError, match="--out"):
        run_report_command([run], tmp_path / out)
