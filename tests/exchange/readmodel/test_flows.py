"""The four flows against plain sums over what the fold holds, on both databases, over REST by who may read what."""

import datetime
from collections import Counter
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from exchange.errors import InputError
from exchange.ledger.records import PostingReason
from exchange.order_path.flows import FlowValue, note_flows
from exchange.readmodel.projector import Projector
from exchange.readmodel.queries import ReadModel
from exchange.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND, PERIOD_NS
from tests.exchange.order_path.park import DAY_NS
from tests.exchange.readmodel.market import DAY, Market, market_day
from tests.exchange.readmodel.test_projector import GENESIS_HASH

ZONE = "Asia/Shanghai"
MONTH_NS = DAY_NS - 14 * NS_PER_DAY
END_NS = MONTH_NS + 31 * NS_PER_DAY
Points = list[tuple[int, str, int, str]]


@pytest.fixture(scope="module")
def market() -> Market:
    return market_day(60)


@pytest.fixture(scope="module")
def model(market: Market, shared_database_url: str) -> Iterator[ReadModel]:
    projector = Projector.open(shared_database_url, GENESIS_HASH, market.exchange.settlement)
    projector.apply_all([(batch, "") for batch in market.batches])
    model = ReadModel.open(shared_database_url)
    yield model
    model.close()
    projector.close()


def ask(
    model: ReadModel, flow: str, subject: str | None = None, resolution: str = "15m", first_ns: int = DAY_NS, end_ns: int = DAY_NS + NS_PER_DAY
) -> Points:
    sequence, points = model.flow(flow, subject, first_ns, end_ns, resolution, ZONE)
    assert sequence == model.last_sequence()
    assert points == sorted(points)
    return points


def bucket(resolution: str, start_ns: int) -> int:
    if resolution in {"15m", "1h"}:
        span_ns = PERIOD_NS if resolution == "15m" else NS_PER_HOUR
        return start_ns - start_ns % span_ns
    local = datetime.datetime.fromtimestamp(start_ns // NS_PER_SECOND, ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0)
    return int((local if resolution == "1d" else local.replace(day=1)).timestamp()) * NS_PER_SECOND


@pytest.mark.parametrize("resolution", ["15m", "1h", "1d", "1mo"])
def test_energy_of_accounts_is_what_the_meters_say(model: ReadModel, market: Market, resolution: str) -> None:
    meters = market.exchange.rooms.meters
    totals: Counter[tuple[int, str]] = Counter()
    for account in market.accounts:
        own: Counter[tuple[int, str]] = Counter()
        for start_ns in meters.period_starts_ns():
            day = meters.read([account], [start_ns])
            if day.metered[0, 0]:
                own[bucket(resolution, start_ns), "consumption"] += int(day.consumption_wh[0, 0])
                own[bucket(resolution, start_ns), "generation"] += int(day.generation_wh[0, 0])
        assert own
        points = ask(model, "energy", f"account:{account}", resolution, MONTH_NS, END_NS)
        assert {(start, kind): value for start, kind, value, unit in points if unit == "Wh"} == own
        totals.update(own)
        totals.update(dict.fromkeys(own, 0))
    of_park = ask(model, "energy", None, resolution, MONTH_NS, END_NS)
    assert {(start, kind): value for start, kind, value, _ in of_park if kind in {"consumption", "generation"}} == totals
    grid = Counter({(bucket(resolution, ns), "grid_import"): 0 for ns in meters.period_starts_ns() if meters.grid_reading(ns)})
    for ns in meters.period_starts_ns():
        reading = meters.grid_reading(ns)
        if reading is not None:
            grid[bucket(resolution, ns), "grid_import"] += reading.import_wh
    assert {(start, kind): value for start, kind, value, _ in of_park if kind == "grid_import"} == grid


def test_energy_of_a_device_is_its_last_revision(model: ReadModel) -> None:
    first_ns = DAY_NS + 4 * PERIOD_NS
    points = ask(model, "energy", "device:1")
    exported = {(start - first_ns) // PERIOD_NS: value for start, kind, value, _ in points if kind == "export"}
    # 100 corrected to 150; 200 substituted by the line from 100 to 300.
    assert exported == {0: 150, 1: 200, 2: 300, 3: 400, 4: 500, 5: 600}
    assert {value for _, kind, value, _ in points if kind == "import"} == {1}
    assert ask(model, "energy", "device:9") == []


def test_money_of_an_account_is_its_postings_and_statement_lines(model: ReadModel, market: Market) -> None:
    account = market.accounts[0]
    expected: Counter[tuple[int, str]] = Counter()
    for batch in market.batches:
        for row in batch.postings:
            if row["asset"] == 0 and account in (row["debit"], row["credit"]):
                at_ns = int(batch.records["stamp_ns"][int(row["sequence"]) - batch.first_sequence])
                sign = 1 if row["credit"] == account else -1
                expected[bucket("1d", at_ns), f"posting.{PostingReason(int(row['reason'])).name.lower()}"] += sign * int(row["amount"])
    statement = market.exchange.settlement(DAY).statement(account)
    for line in statement.lines:
        expected[DAY_NS, f"statement.{line.item}"] += line.amount_micro
    points = ask(model, "money", f"account:{account}", "1d", MONTH_NS - NS_PER_DAY, END_NS)
    assert {(start, kind): value for start, kind, value, _ in points} == expected
    assert {unit for *_, unit in points} == {"micro_cny"}
    by_hour = ask(model, "money", f"account:{account}", "1h", MONTH_NS - NS_PER_DAY, END_NS)
    assert {kind.partition(".")[0] for _, kind, _, _ in by_hour} == {"posting"}
    balance = sum(value for _, kind, value, _ in points if kind.startswith("posting."))
    assert balance == market.exchange.balances(account).balance_micro


def test_money_of_the_park_is_the_lines_of_all_statements(model: ReadModel, market: Market) -> None:
    expected: Counter[str] = Counter()
    for statement in market.exchange.settlement(DAY).statements:
        for line in statement.lines:
            expected[f"statement.{line.item}"] += line.amount_micro
    assert {kind: value for _, kind, value, _ in ask(model, "money", None, "1d")} == expected
    assert ask(model, "money", None, "1h") == []


def test_a_closed_month_is_told_as_the_output_of_its_projects(model: ReadModel) -> None:
    output = 100 + 200 + 300 + 400 + 500 + 600  # as it was known when the month was closed
    for subject in (None, "device:1"):
        assert ask(model, "project", subject, "1mo", MONTH_NS, END_NS) == [(MONTH_NS, "metered_output", output, "Wh")]
    assert ask(model, "carbon", None, "1mo", MONTH_NS, END_NS) == []


def test_the_last_value_told_counts_and_kinds_are_added_over_time(market: Market) -> None:
    park = market_day(0).park
    for value in (5, 7):
        park.tick(park.now_ns + 1)
        values = [FlowValue("park", "scope2", DAY_NS + i * PERIOD_NS, value + i, "g") for i in range(2)]
        note_flows(park.exchange, "carbon", values)
        park.batches[-1].notices.extend(park.exchange._output.notices[len(park.batches[-1].notices) :])
    projector = Projector.open("sqlite://", GENESIS_HASH, park.exchange.settlement)
    projector.apply_all([(batch, "") for batch in park.batches])
    model = ReadModel(projector.engine)
    assert ask(model, "carbon") == [(DAY_NS, "scope2", 7, "g"), (DAY_NS + PERIOD_NS, "scope2", 8, "g")]
    assert ask(model, "carbon", None, "1d") == [(DAY_NS, "scope2", 15, "g")]
    projector.close()


def test_too_many_buckets_are_refused(model: ReadModel) -> None:
    with pytest.raises(InputError, match="more than 36000 buckets"):
        ask(model, "energy", None, "15m", 0, 36_001 * PERIOD_NS)
    assert ask(model, "energy", None, "15m", 0, 36_000 * PERIOD_NS) == []
