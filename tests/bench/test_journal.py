"""The benchmark of the journal, tiny, so that it never rots."""

from pathlib import Path

from bench import journal


def test_the_benchmark_runs_and_its_hash_repeats(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    rows = journal.run(tmp_path / "a", 5)
    assert [row["records_per_group"] for row in rows] == [1, 16, 256]
    assert all(0 < row["append_us"]["p50"] <= row["append_us"]["p99"] <= row["append_us"]["max"] for row in rows)
    assert [row["chain_hash"] for row in journal.run(tmp_path / "b", 5)] == [row["chain_hash"] for row in rows]
