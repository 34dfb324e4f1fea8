"""Chains from the journal of a market day, both ways, against the day's own trades, statements and units."""

import re
from pathlib import Path

import numpy as np
import pytest

from clients.cli.trace_command import run_trace_command
from exchange.errors import InputError
from exchange.journal.segments import SegmentJournal
from exchange.maintenance.trace import Node, trace
from exchange.maintenance.trace.lines import trace_line
from exchange.maintenance.trace.past import Past
from exchange.order_path.records import ExecutionKind
from exchange.protocol.value_chain.settlement import SettleMonth
from exchange.registry.lifecycle import UnitState
from exchange.registry.months import month_number, start_of_month_ns
from exchange.settlement.statement import LineItem
from matching.records import Side
from tests.exchange.order_path.park import GENESIS
from tests.exchange.order_path.settling_park import SettlingPark
from tests.exchange.readmodel.market import DAY, Market, market_day


@pytest.fixture(scope="module")
def market() -> Market:
    return market_day()


@pytest.fixture(scope="module")
def data(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("traced")
    (directory / "journal").mkdir()
    journal = SegmentJournal.open(directory / "journal", GENESIS)
    for records, documents in market.park.log:
        journal.append(records, documents)
    journal.close()
    return directory


def trades(market: Market, symbol: str) -> list[np.void]:
    wanted = market.exchange.instrument(symbol).id
    rows = np.concatenate([batch.executions for batch in market.batches])
    return list(rows[(rows["kind"] == int(ExecutionKind.TRADE)) & (rows["instrument"] == wanted)])


def of_kind(nodes: list[Node], kind: str) -> list[Node]:
    return [node for node in nodes if node.kind == kind]


def lots(text: str) -> float:
    return float(text.split(maxsplit=1)[0])


def test_a_power_trade_leads_to_orders_postings_meters_and_lines(data: Path, market: Market) -> None:
    symbol = market.exchange.instrument_by_id(market.power).symbol
    found = trades(market, symbol)
    number = int(found[len(found) // 2]["trade_number"])
    row = next(row for row in found if row["trade_number"] == number)
    node = trace(data, f"{symbol}#{number}")
    assert {int(order.name) for order in of_kind(node.origins, "order")} == {int(row["order_id"]), int(row["counter_order_id"])}
    assert all(0 < order.sequence <= int(row["sequence"]) for order in of_kind(node.origins, "order"))
    paid = next(posting for posting in of_kind(node.outcomes, "posting") if posting.facts[""] == "trade")
    assert round(lots(paid.facts["amount"]) * 1e6) == int(row["price_ticks"]) * int(row["quantity_lots"]) * 10
    names = {market.exchange.account(int(row[name])).name for name in ("account", "counter_account")}
    assert {reading.name.split()[0] for reading in of_kind(node.outcomes, "reading")} == names
    (settled,) = of_kind(node.outcomes, "settlement")
    assert {line.name.split("/")[1] for line in of_kind(settled.outcomes, "line")} == names


def test_each_trade_of_an_auction_has_its_own_postings(data: Path, market: Market) -> None:
    symbol = market.exchange.instrument_by_id(market.power).symbol
    for row in trades(market, symbol):
        node = trace(data, f"{symbol}#{row['trade_number']}")
        paid = [posting for posting in of_kind(node.outcomes, "posting") if posting.facts[""] == "trade"]
        assert [round(lots(posting.facts["amount"]) * 1e6) for posting in paid] == [int(row["price_ticks"]) * int(row["quantity_lots"]) * 10]


def test_a_trade_of_units_names_the_ranges_it_delivered_and_they_name_the_trade(data: Path, market: Market) -> None:
    for row in trades(market, "CEA25")[:3]:
        name = f"CEA25#{row['trade_number']}"
        moved = of_kind(trace(data, name).outcomes, "certificate")
        assert sum(int(serial.name.split("-")[6]) - int(serial.name.split("-")[5]) + 1 for serial in moved) == int(row["quantity_lots"])
        buyer = market.exchange.account(int(row["account"] if row["side"] == Side.BUY else row["counter_account"])).name
        for serial in moved:
            movement = [m for m in of_kind(trace(data, serial.name).outcomes, "movement") if name in m.name]
            assert [m.facts["->"] for m in movement] == [buyer]


def test_a_certificate_tells_its_issuance_and_its_holder(data: Path, market: Market) -> None:
    registry = market.exchange.rooms.registry
    row = int(np.flatnonzero(registry.rows["state"] == int(UnitState.ISSUED))[0])
    node = trace(data, str(registry.range_of(row)))
    assert node.facts["holder"] == market.exchange.account(int(registry.rows[row]["account"])).name
    assert node.facts["hash"] == bytes(registry.rows[row]["digest"]).hex()
    (issuance,) = of_kind(node.origins, "issuance")
    assert issuance.facts[""] == "issue_units"


def test_a_line_is_the_sum_of_its_trades(data: Path, market: Market) -> None:
    for account in market.accounts:
        name = market.exchange.account(account).name
        node = trace(data, f"{DAY}/{account}/{LineItem.ENERGY_BOUGHT}")
        assert node.name == f"{DAY}/{name}/{LineItem.ENERGY_BOUGHT}"
        bought = [trade for trade in of_kind(node.origins, "trade") if trade.facts["->"] == name]
        statement = market.exchange.statement(account, DAY)
        assert round(sum(lots(trade.facts[""]) for trade in bought) * 1000) == statement.energy_wh(LineItem.ENERGY_BOUGHT)
        assert of_kind(node.origins, "settlement")


def test_what_is_not_there_is_named(data: Path, market: Market) -> None:
    serial = str(market.exchange.rooms.registry.range_of(0))
    for what, words in [
        ("something", "trace a serial number"),
        ("GP-20260715-1000#999", "has no trade 999"),
        ("NOTHING#1", "there is no instrument NOTHING"),
        (f"{DAY}/nobody/deficit", "there is no account nobody"),
        (f"{DAY}/E00/nothing", "has no line nothing"),
        ("2026-07-16/E00/deficit", "has no line deficit on 2026-07-16"),
        (serial[:-1] + ("A" if serial[-1] != "A" else "B"), "check character"),
        (re.sub("-[0-9]+-([0-9]+)-([0-9]+)-.$", "", serial), "eight parts"),
    ]:
        with pytest.raises(InputError, match=words):
            trace(data, what)


def test_it_is_told_in_both_languages_and_as_json(data: Path, market: Market, capsys: pytest.CaptureFixture[str]) -> None:
    what = f"CEA25#{trades(market, 'CEA25')[0]['trade_number']}"
    for language, word in (("en", "comes from"), ("zh", "来源")):
        run_trace_command(data, what, None, language, as_json=False)
        assert word in capsys.readouterr().out
    run_trace_command(data, what, None, "en", as_json=True)
    assert '"kind": "trade"' in capsys.readouterr().out
    with pytest.raises(InputError, match="lang is en or zh"):
        run_trace_command(data, what, None, "de", as_json=False)


def test_a_line_of_a_later_run_and_of_a_month_name_the_commands_they_come_from(tmp_path: Path) -> None:
    """A day settled twice, then its month: the month's line leads to the month's command and to the day."""
    park = SettlingPark(1)
    park.trade(park.load, 100)
    park.deliver()
    park.ok(park.readings({park.load: 9_000}, {park.plant: 10_000}))
    assert park.settle()[0] == 0
    assert park.settle(run=2)[0] == 0
    park.tick(start_of_month_ns(month_number("2026-08")))
    park.ok(SettleMonth(month="2026-07"))
    journal = SegmentJournal.open(tmp_path, GENESIS)
    for records, documents in park.log:
        journal.append(records, documents)
    journal.close()
    past = Past(tmp_path, None)
    of_day = of_kind(trace_line(past, f"2026-07-15/{park.load}/surplus").origins, "settlement")
    assert [node.facts for node in of_day] == [{}, {"run": "2"}]
    of_month = of_kind(trace_line(past, f"2026-07/{park.load}/capacity_charge").origins, "settlement")
    assert [node.name for node in of_month] == ["2026-07", "2026-07-15"]
    assert of_month[1].sequence == of_day[1].sequence


@pytest.mark.parametrize("state", list(UnitState))
def test_a_state_is_told_in_the_reader_s_language(state: UnitState) -> None:
    node = Node("certificate", "S", {"state": state.name.lower()})
    assert node.to_text("en").splitlines()[0] == f"certificate S: state {state.name.lower()}"
    assert re.fullmatch(r"证书 S: 状态 [\u4e00-\u9fff]+", node.to_text("zh").splitlines()[0])
