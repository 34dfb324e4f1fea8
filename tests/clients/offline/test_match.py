"""Order files whose results were worked out by hand from docs/matching.md, and what the file adds to the core: names, ids, lines, bars."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clients.offline import rows as reading
from clients.offline.match import MatchOptions, match_file
from clients.offline.order_ids import OrderIds
from clients.offline.template import TEMPLATE
from clients.offline.texts import EMPTY, Times
from tests.clients.offline.order_files import Row, match_texts, read_rows, row, write_rows


def short(trades: list[Row]) -> list[str]:
    """Trades as `price x quantity buyer-order<seller-order aggressor`."""
    return [
        f"{trade['price']} x {trade['quantity']} {trade['buy_order_id']}<{trade['sell_order_id']} {trade['aggressor_side'] or 'auction'}"
        for trade in trades
    ]


# texts of the lines, their trades, the ids that rest or wait at the end
FILES = {
    "price, then time": (
        ["s1 a sell 11 5", "s2 b sell 10 5", "s3 c sell 10 5", "b1 d buy 11 12"],
        ["10 x 5 b1<s2 buy", "10 x 5 b1<s3 buy", "11 x 2 b1<s1 buy"],
        ["s1"],
    ),
    "the maker's price for a seller too": (["b1 a buy 11 5", "s1 b sell 9 7"], ["11 x 5 b1<s1 sell"], ["s1"]),
    "a market order never rests": (["s1 a sell 10 5", "b1 b buy 12 9 type=market"], ["10 x 5 b1<s1 buy"], []),
    "fill or kill": (["s1 a sell 10 5", "b1 b buy 12 9 time_in_force=fok"], [], ["s1"]),
    "an iceberg's peak goes to the end": (
        ["s1 a sell 10 6 type=iceberg display_quantity=2", "s2 b sell 10 2", "b1 c buy 10 5"],
        ["10 x 2 b1<s1 buy", "10 x 2 b1<s2 buy", "10 x 1 b1<s1 buy"],
        ["s1"],
    ),
    "an own order is met": (["s1 a sell 10 5", "b1 a buy 10 5 self_trade_prevention=cancel_oldest"], [], ["b1"]),
    "a stop runs after what triggers it": (
        ["s1 a sell 10 5", "s2 a sell 12 5", "b1 b buy 12 3 type=stop stop_price=10", "b2 c buy 10 1"],
        ["10 x 1 b2<s1 buy", "10 x 3 b1<s1 buy"],
        ["s1", "s2"],
    ),
    "all or none waits and is filled whole": (
        ["s1 a sell 10 5 type=all_or_none", "b1 b buy 10 4", "b2 c buy 10 1"],
        ["10 x 4 b1<s1 sell", "10 x 1 b2<s1 sell"],
        [],
    ),
    "one price in an auction": (
        [
            "phase instrument=A phase=auction", "s1 a sell 8 5", "s2 a sell 11 5", "b1 b buy 12 4", "b2 c buy 9 3",
            "uncross instrument=A reference_price=10",
        ],
        ["9 x 4 b1<s1 auction", "9 x 1 b2<s1 auction"],
        ["b2", "s2"],
    ),
    "a band interrupts": (
        ["band instrument=A band_low=9 band_high=10", "s1 a sell 10 2", "s2 a sell 11 2", "b1 b buy 11 3"],
        ["10 x 2 b1<s1 buy"],
        ["b1", "s2"],
    ),
    "a mass cancel of a label": (["s1 a sell 10 5 label=x", "s2 a sell 10 5", "mass_cancel owner=a label=x"], [], ["s2"]),
    "an id comes again after its order has ended": (
        ["s1 a sell 10 5", "b1 b buy 10 5", "s1 a sell 12 5", "cancel order_id=b1", "b1 b buy 12 1"],
        ["10 x 5 b1<s1 buy", "12 x 1 b1<s1 buy"],
        ["s1"],
    ),
    "an id does not come again while its order lives": (["s1 a sell 10 5", "s1 a sell 9 5", "b1 b buy 10 1"], ["10 x 1 b1<s1 buy"], ["s1"]),
    "an id of a refused order is free": (["s1 a sell 10 0", "s1 a sell 10 5"], [], ["s1"]),
}  # fmt: skip


def line_of(text: str) -> str:
    """`order-id owner side price quantity ...` is a place in instrument A; what begins with an action is as it is."""
    words = text.split()
    if words[0] in ("phase", "uncross", "band", "mass_cancel", "cancel"):
        return text
    order_id, owner, side, price, quantity = words[:5]
    return " ".join([f"place instrument=A order_id={order_id} owner={owner} side={side} price={price} quantity={quantity}", *words[5:]])


@pytest.mark.parametrize("rows_per_piece", [1, 1000])
@pytest.mark.parametrize(("texts", "trades", "left"), FILES.values(), ids=FILES)
def test_what_a_file_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: list[str], trades: list[str], left: list[str], rows_per_piece: int
) -> None:
    monkeypatch.setattr(reading, "ROWS_PER_PIECE", rows_per_piece)
    results = match_texts(tmp_path, *map(line_of, texts))
    assert short(results.trades) == trades
    assert [order["order_id"] for order in results.book] == left


def leg(order_id: str, instrument: str, legs: int = 0, quantity: int = 5) -> str:
    count = f"legs={legs}" if legs else ""
    return f"basket instrument={instrument} order_id={order_id} owner=z side=buy price=10 quantity={quantity} {count}"


ASKS = [f"place instrument={book} order_id=s{n} owner=a side=sell price=10 quantity=5" for book, n in (("A", 1), ("B", 2))]
# texts after two asks, (order id, event, reason) of what they lead to
BASKETS = {
    "whole": ([leg("x", "A", 2), leg("y", "B")], [("x", "filled", ""), ("y", "filled", "")]),
    "one leg cannot": (
        [leg("x", "A", 2), leg("y", "B", quantity=6)],
        [("x", "cancelled", "basket_unfillable"), ("y", "cancelled", "basket_unfillable")],
    ),
    "an id of before": (
        ["cancel order_id=s2", leg("s2", "A", 1)],
        [("s2", "cancelled", "requested"), ("s2", "filled", "")],
    ),
    "an id that lives": ([leg("x", "A", 2), leg("s1", "B")], [("x", "rejected", "invalid_basket"), ("s1", "rejected", "order_id_out_of_sequence")]),
    "an id twice": ([leg("x", "A", 2), leg("x", "B")], [("x", "rejected", "invalid_basket"), ("x", "rejected", "order_id_out_of_sequence")]),
    "legs that do not come": ([leg("x", "A", 3), leg("y", "B")], [("x", "rejected", "invalid_basket"), ("y", "rejected", "invalid_basket")]),
    "too many legs": ([leg("x", "A", 101)], [("x", "rejected", "invalid_basket")]),
    "a leg too many": (
        [leg("x", "A", 1), leg("y", "B")],
        [("x", "filled", ""), ("y", "rejected", "invalid_basket")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("rows_per_piece", [1, 3, 1000])
@pytest.mark.parametrize(("texts", "events"), BASKETS.values(), ids=BASKETS)
def test_baskets_lie_whole_in_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: list[str], events: list[tuple[str, str, str]], rows_per_piece: int
) -> None:
    monkeypatch.setattr(reading, "ROWS_PER_PIECE", rows_per_piece)
    results = match_texts(tmp_path, *ASKS, *texts)
    assert [(event["order_id"], event["event"], event["reason"]) for event in results.events[2:]] == events


def test_events_tell_lines_and_refusals_their_reasons(tmp_path: Path) -> None:
    results = match_texts(
        tmp_path,
        "cancel time=1 order_id=ghost",
        "place time=2 instrument=A order_id=b owner=o side=buy price=9 quantity=5",
        "mass_cancel time=3 owner=nobody",
        "amend time=4 order_id=b price=9 quantity=0",
        "place time=5 instrument=A order_id=s owner=p side=sell price=9 quantity=2",
    )
    told = [(event["line"], event["time"], event["event"], event["reason"], event["order_id"]) for event in results.events]
    assert told == [
        ("2", "1", "rejected", "unknown_order", "ghost"),
        ("3", "2", "rested", "", "b"),
        ("5", "4", "rejected", "quantity_out_of_range", "b"),
        ("6", "5", "filled", "", "s"),
    ]
    assert results.trades == [
        {
            "time": "5", "instrument": "A", "price": "9", "quantity": "2", "buyer": "o", "seller": "p", "buy_order_id": "b", "sell_order_id": "s",
            "aggressor_side": "sell", "auction": "no",
        }
    ]  # fmt: skip
    assert (results.summary.lines, results.summary.orders, results.summary.trades, results.summary.volume_lots) == (5, 2, 1, 2)
    assert results.summary.refused == {"unknown_order": 1, "quantity_out_of_range": 1}


def test_numbers_of_refused_orders_are_taken_back() -> None:
    """The core takes no id far above the last, so numbers of refused orders must not be used up. Texts keep naming what they named."""
    ids = OrderIds()
    assert [ids.add(text, 0) for text in ("a", "b", "a", "c")] == [0, 1, 2, 3]
    ghost = ids.named("ghost")
    ids.take_back(2)
    assert ids.next_number == 2
    assert ids.known("b") == 1
    assert len({ghost, ids.named("a"), ids.named("c")}) == 3
    for text in ("ghost", "a", "c"):
        assert ids.known(text) < 0
        assert ids.text_of(ids.named(text)) == text
    assert ids.add("c", 1) == 2
    assert (ids.text_of(2), ids.known("c"), ids.book_of(2)) == ("c", 2, 1)


def test_many_pieces_of_refused_orders_leave_no_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS_PER_PIECE", 10)
    last_numbers: list[int] = []
    add = OrderIds.add
    monkeypatch.setattr(OrderIds, "add", lambda ids, text, book: last_numbers.append(add(ids, text, book)) or last_numbers[-1])
    refused = [f"place instrument=A order_id=r{index} owner=o side=buy price=9 quantity=0" for index in range(100)]
    results = match_texts(tmp_path, *refused, "cancel order_id=r5", "place instrument=A order_id=x owner=o side=buy price=9 quantity=1")
    assert results.summary.refused == {"quantity_out_of_range": 100, "unknown_order": 1}
    assert [order["order_id"] for order in results.book] == ["x"]
    assert max(last_numbers) < 10
    assert results.events[100]["order_id"] == "r5"


def test_a_book_tells_all_of_an_order(tmp_path: Path) -> None:
    order = "instrument=A owner=o side=sell price=9 quantity=7 time_in_force=gate self_trade_prevention=decrement label=x"
    results = match_texts(
        tmp_path,
        f"place {order} order_id=i type=iceberg display_quantity=3",
        f"place {order} order_id=m type=minimum minimum_quantity=4",
        f"place {order} order_id=s type=stop_limit+all_or_none stop_price=5",
    )
    common = {"instrument": "A", "side": "sell", "price": "9", "quantity": "7", "owner": "o", "label": "x"}
    waits = {"shown_quantity": "0", "time_in_force": "gate", "self_trade_prevention": "decrement"}
    expected = [
        {"order_id": "i", "state": "resting", "type": "iceberg", "shown_quantity": "3", "display_quantity": "3"},
        {"order_id": "m", "state": "waiting", "type": "minimum", "minimum_quantity": "4", **waits},
        {"order_id": "s", "state": "stop", "type": "stop_limit+all_or_none", "stop_price": "5", **waits},
    ]
    assert [{name: value for name, value in order.items() if value} for order in results.book] == [common | order for order in expected]


def test_steps_of_prices_and_quantities(tmp_path: Path) -> None:
    """Negative prices, steps that are not powers of ten."""
    rows = [
        row("place instrument=A order_id=s owner=a side=sell price=-0.10 quantity=7.5"),
        row("place instrument=A order_id=b owner=b side=buy price=0.05 quantity=5"),
    ]
    orders = write_rows(tmp_path / "orders.csv", rows)
    match_file(MatchOptions(orders, tmp_path / "trades.csv", tmp_path / "book.csv", tick="0.05", lot="2.5"))
    assert [(trade["price"], trade["quantity"]) for trade in read_rows(tmp_path / "trades.csv")] == [("-0.10", "5.0")]
    assert [(order["price"], order["quantity"], order["state"]) for order in read_rows(tmp_path / "book.csv")] == [("-0.10", "2.5", "resting")]


def test_bars_by_interval(tmp_path: Path) -> None:
    lines = []
    for second, (price, quantity) in {"0": ("0.10", 1), "899.999999999": ("0.30", 2), "900": ("0.20", 1), "2700.5": ("0.10", 3)}.items():
        lines.append(row(f"place time={second} instrument=A order_id=s{second} owner=a side=sell price={price} quantity={quantity}"))
        lines.append(row(f"place time={second} instrument=A order_id=b{second} owner=b side=buy price={price} quantity={quantity}"))
    lines.append(row("place time=2701 instrument=B order_id=s owner=a side=sell price=0.10 quantity=3"))
    lines.append(row("place time=2701 instrument=B order_id=b owner=b side=buy price=0.10 quantity=3"))
    orders = write_rows(tmp_path / "orders.csv", lines)
    match_file(MatchOptions(orders, bars=tmp_path / "bars.csv", interval_s=900, tick="0.01", lot="1"))
    assert (tmp_path / "bars.csv").read_text(encoding="utf-8").splitlines() == [
        "time,instrument,open,high,low,close,vwap,volume,turnover,trades",
        "0,A,0.10,0.30,0.10,0.30,0.233333,3,0.70,2",
        "900,A,0.20,0.20,0.20,0.20,0.200000,1,0.20,1",
        "2700,A,0.10,0.10,0.10,0.10,0.100000,3,0.30,1",
        "2700,B,0.10,0.10,0.10,0.10,0.100000,3,0.30,1",
    ]


def test_the_template_runs_with_the_default_steps(tmp_path: Path) -> None:
    """Worked out by hand: an auction at 0.3800, since more is offered than bid there; then each line as the guide tells it."""
    orders = tmp_path / "orders.csv"
    orders.write_text("\ufeff" + TEMPLATE, encoding="utf-8")
    summary = match_file(MatchOptions(orders, tmp_path / "trades.csv", tmp_path / "book.csv"))
    assert short(read_rows(tmp_path / "trades.csv")) == [
        "0.3800 x 30.0 B1<S1 auction",
        "0.3800 x 20.0 B2<S1 buy",
        "0.4000 x 5.0 B2<S2 buy",
        "0.4000 x 5.0 B7<S2 buy",
        "0.4000 x 10.0 X1<S2 buy",
        "0.4000 x 10.0 X1<S2 buy",
        "0.7000 x 18.0 B8<X2 sell",
    ]
    assert [(order["order_id"], order["state"], order["type"], order["quantity"]) for order in read_rows(tmp_path / "book.csv")] == [
        ("B4", "waiting", "minimum", "60.0"),
        ("B6", "stop", "stop_limit", "15.0"),
        ("S3", "stop", "stop", "15.0"),
        ("B8", "resting", "limit", "2.0"),
    ]
    assert not summary.refused
    for column in TEMPLATE.splitlines()[0].split(","):
        assert any(column_value for column_value in _column(column)), column


def _column(name: str) -> list[str]:
    header, *lines = (line.split(",") for line in TEMPLATE.splitlines())
    return [line[header.index(name)] for line in lines]


TIMES = st.one_of(st.from_regex(r"\A[0-9]{0,12}\.?[0-9]{0,11}\Z"), st.text(alphabet="0123456789.-٣e \0", max_size=24))


@given(st.lists(TIMES, max_size=30))
@example(["5\0"])
@example(["1", "99999999999999999999999"])
@example(["10000000000000000000", "18446744073709551617"])
def test_times_read_at_once_are_those_read_one_by_one(column: list[str]) -> None:
    times = Times()
    assert times.numbers(tuple(column)).tolist() == [times.read(text) if text else EMPTY for text in column]
