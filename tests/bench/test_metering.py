"""The benchmark of meters, tiny, so that it never rots."""

import json
import sys
from pathlib import Path

import pytest

from bench import metering


def test_it_prints_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["metering", "--devices", "10", "--days", "8", "--json", "--results", str(tmp_path)])
    metering.main()
    result = json.loads(capsys.readouterr().out)
    assert (result["rows"], result["flagged"]) == (11 * 8 * 96, 0)
    assert set(result["rows_per_s"]) == {"csv", "parquet", "validate", "cut", "apply"}
    assert all(result["rows_per_s"].values())
    assert json.loads((tmp_path / "metering.jsonl").read_text())["digest"] == result["digest"]
