"""The benchmark of the auctions on tiny markets, so that it never rots."""

import json

import numpy as np
import pytest

from bench import auctions
from matching.mechanisms import MECHANISMS, Rules
from matching.records import Side


def test_workload_is_the_same_every_time():
    orders = auctions.draw_orders(1_000)
    assert orders.tobytes() == auctions.draw_orders(1_000).tobytes()
    assert (orders["side"] == Side.BUY).sum() == 500
    assert orders["quantity_lots"].min() >= 1
    assert orders["quantity_lots"].max() <= 1_000
    assert abs(np.median(orders["price_ticks"]) - 5_000) < 100


def test_command_prints_and_records_one_json_line(capsys, tmp_path):
    assert auctions.main(["--orders", "300", "--repeat", "2", "--json", "--results", str(tmp_path)]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {row["mechanism"] for row in result["results"]} == set(MECHANISMS)
    assert len(result["results"]) == len(MECHANISMS) + 2  # the uniform auction with three tie rules
    recorded = json.loads((tmp_path / "auctions.jsonl").read_text())
    assert {key: recorded[key] for key in result} == result


def test_command_prints_a_table(capsys):
    assert auctions.main(["--orders", "40", "--repeat", "1", "--mechanism", "uniform", "--no-record"]) == 0
    *table, line = capsys.readouterr().out.splitlines()
    assert len(table) == 3
    assert json.loads(line)["repeat"] == 1


def test_a_clearing_that_does_not_repeat_ends_the_run(capsys, monkeypatch):
    digests = iter(range(99))
    monkeypatch.setattr(auctions, "hash_clearing", lambda clearing: str(next(digests)))
    assert auctions.main(["--orders", "40", "--repeat", "1", "--no-record"]) == 1
    assert "two ways" in capsys.readouterr().err


def test_large_markets_leave_out_vcg(monkeypatch):
    monkeypatch.setattr(auctions, "VCG_ORDERS_MAX", 10)
    assert auctions.benchmark((11,), ("vcg",), 1)["results"] == []


@pytest.mark.parametrize("arguments", [["--repeat", "0"], ["--orders", "0"], ["--mechanism", "bazaar"]])
def test_command_refuses(arguments):
    with pytest.raises(SystemExit):
        auctions.main(arguments)


@pytest.mark.parametrize("name", MECHANISMS)
def test_benchmark_of_a_small_market(benchmark, name):
    orders = auctions.draw_orders(500)
    clearing = benchmark.pedantic(MECHANISMS[name].clear, args=(orders, Rules(**auctions.GRID)), rounds=2, iterations=1, warmup_rounds=1)
    assert auctions.hash_clearing(clearing) == auctions.hash_clearing(MECHANISMS[name].clear(orders, Rules(**auctions.GRID)))
