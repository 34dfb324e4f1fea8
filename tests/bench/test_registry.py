"""The benchmark of the registry, tiny, so that it never rots."""

from bench import registry


def test_the_benchmark_runs_checks_itself_and_repeats() -> None:
    first, second = (registry.run(500, 200) for _ in range(2))
    assert first["checked"]
    assert first["hash"] == second["hash"]
    assert first["rows"] > 500 + 2 * 200
    assert all(first[name] > 0 for name in ("issue_rows_per_s", "transfers_per_s", "bytes_a_row"))
