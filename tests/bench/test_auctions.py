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


def test_command_prints_one_json_line(capsys, monkeypatch):
    recorded = []
    monkeypatch.setattr(auctions, "append_result", lambda name, result: recorded.append((name, result)))
    assert auctions.main(["--orders", "300", "--repeat", "2", "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {row["mechanism"] for row in result["results"]} == set(MECHANISMS)
    assert len(result["results"]) == len(MECHANISMS) + 2  # the uniform auction with three tie rules
    assert recorded == [("auctions", result)]


def test_command_prints_a_table(capsys):
    assert auctions.main(["--orders", "40", "--repeat", "1", "--mechanism", "uniform", "--no-record"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


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
