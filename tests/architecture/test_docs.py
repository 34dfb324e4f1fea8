"""Pages against the repository: links, cited headings, commands, paths."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from clients.cli.app import app
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


def _examples(page: Path) -> list[str]:
    """Command lines of a page: indented blocks and code spans, without comments."""
    text = page.read_text("utf-8")
    lines = re.findall(r"^ {4}(.+)$", text, re.MULTILINE) + re.findall(r"`([^`\n]+)`", text)
    return [line.partition(" #")[0].removeprefix(".venv/bin/").strip() for line in lines]


@pytest.mark.parametrize("page", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {line.split()[1] for line in _examples(page) if re.match(r"make [a-z]", line)}
    assert named - targets == set()


@pytest.mark.parametrize("page", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_parkex_commands_and_options_exist(page: Path) -> None:
    for line in _examples(page):
        words = line.split()
        if words[:1] != ["parkex"] or words[1:2] == ["--help"]:
            continue
        command: Any = typer.main.get_command(app)
        for word in words[1:]:
            if word in getattr(command, "commands", {}):
                command = command.commands[word]
        assert not hasattr(command, "commands") or words[-1] == "--help" or len(words) == 1, line
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_every_room_of_the_repository_is_in_the_readme() -> None:
    rows = table_rows((ROOT / "README.md").read_text("utf-8"), 2)
    listed = {row[0].strip("`").rstrip("/") for row in rows}
    assert {"matching", "exchange", "clients", "bench", "tests", "docs"} <= listed
