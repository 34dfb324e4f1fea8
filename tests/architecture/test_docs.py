"""Pages against the repository: links, cited headings, commands, paths."""

import re
from pathlib import Path

import pytest

from tests.architecture.repository import DOCS, ROOT, pages, table_rows, text_files

LINK = re.compile(r"\]\(([^)\s]+)\)")
CITED_PAGE = re.compile(r"docs/[\w/-]+\.md")
CITED_RULE = re.compile(r"docs/rules\.md,?\s+(?:section\s+)?((?:\"[^\"]+\"(?:\s+and\s+)?)+)")
# Homes of people and work trees; written in parts, so that this file is not a finding.
MACHINE_PATH = re.compile("|".join(("/" + "work/", "/" + r"home/(?!user\b|you\b)\w+/", "/" + "root/", "/" + "Users/")))


@pytest.mark.parametrize("page", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        if "://" in target or target.startswith(("#", "mailto:")):
            continue
        assert (page.parent / target.partition("#")[0]).exists(), f"{page.name} links to {target}"


def test_pages_that_are_cited_exist() -> None:
    missing = {(path.name, cited) for path, text in text_files() for cited in CITED_PAGE.findall(text) if not (ROOT / cited).is_file()}
    assert missing == set()


def test_rules_that_the_code_cites_are_headings() -> None:
    headings = set(re.findall(r"^## (.+)$", (DOCS / "rules.md").read_text("utf-8"), re.MULTILINE))
    cited = {
        (path.name, heading)
        for path, text in text_files()
        if path.suffix == ".py"
        for group in CITED_RULE.findall(" ".join(text.split()))
        for heading in re.findall(r"\"([^\"]+)\"", group)
    }
    assert cited
    assert {pair for pair in cited if pair[1] not in headings} == set()


def test_no_file_holds_a_path_of_a_machine() -> None:
    found = [f"{path.relative_to(ROOT)}: {hit}" for path, text in text_files() for hit in MACHINE_PATH.findall(text)]
    assert found == []


def test_decisions_are_all_in_the_index() -> None:
    listed = set(re.findall(r"\((\d{4}-[\w-]+\.md)\)", (DOCS / "decisions" / "README.md").read_text("utf-8")))
    assert listed == {path.name for path in (DOCS / "decisions").glob("[0-9]*.md")}


def test_readme_commands_exist() -> None:
    """Every `make TARGET` and `parkex COMMAND` of README and guides is one that can be run."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in pages():
        text = page.read_text("utf-8")
        assert set(re.findall(r"^\s{4}make ([a-z-]+)", text, re.MULTILINE)) <= targets, page.name
        assert set(re.findall(r"`make ([a-z-]+)[^`]*`", text)) <= targets, page.name


def test_every_room_of_the_repository_is_in_the_readme() -> None:
    rows = table_rows((ROOT / "README.md").read_text("utf-8"), 2)
    listed = {row[0].strip("`").rstrip("/") for row in rows}
    assert {"matching", "exchange", "clients", "bench", "tests", "docs"} <= listed
