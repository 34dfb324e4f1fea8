"""Every way in which a file can be wrong: the line, the column and what was expected are named, and nothing is written."""

from pathlib import Path

import pytest

from clients.offline import rows as reading
from clients.offline.match import MatchOptions, match_file
from exchange.errors import InputError
from tests.clients.offline.order_files import row, write_rows

GOOD = "place instrument=A order_id=1 owner=o side=buy price=0.41 quantity=5"
SELL = "place instrument=A order_id=2 owner=p side=sell price=0.41 quantity=5"

# the line after a good one, and what is said of it
LINES = {
    "no action": (GOOD.replace("place", "action="), "column action: empty; expected one of place, amend"),
    "unknown action": (GOOD.replace("place", "buy"), "column action: 'buy'; expected one of place, amend"),
    "action in capitals": (GOOD.replace("place", "PLACE"), "column action: 'PLACE'; expected one of place"),
    "no instrument": (GOOD.replace("instrument=A", ""), "column instrument: empty; expected a value for the action place"),
    "no order id": (GOOD.replace("order_id=1", ""), "column order_id: empty; expected a value for the action place"),
    "long order id": (GOOD.replace("order_id=1", f"order_id={'x' * 37}"), "; expected at most 36 characters"),
    "no owner": (GOOD.replace("owner=o", ""), "column owner: empty; expected a value for the action place"),
    "long owner": (GOOD.replace("owner=o", f"owner={'o' * 65}"), "expected a name of at most 64 characters"),
    "unknown side": (GOOD.replace("side=buy", "side=bid"), "column side: 'bid'; expected one of buy, sell"),
    "no price": (GOOD.replace("price=0.41", ""), "column price: empty; expected a value for the action place"),
    "no number": (
        GOOD.replace("0.41", "cheap"),
        "column price: 'cheap'; expected a multiple of 0.01 from -21474836.48 to 21474836.47, written as 0.12",
    ),
    "comma": (GOOD.replace("0.41", "0,41"), "column price: '0,41'; expected a multiple of 0.01"),
    "exponent": (GOOD.replace("0.41", "1e3"), "column price: '1e3'; expected a multiple of 0.01"),
    "not a number": (GOOD.replace("0.41", "nan"), "column price: 'nan'; expected a multiple of 0.01"),
    "other digits": (GOOD.replace("0.41", "٣"), "column price: '٣'; expected a multiple of 0.01"),
    "off the grid": (GOOD.replace("0.41", "0.415"), "column price: '0.415'; expected a multiple of 0.01"),
    "zeros off the grid": (GOOD.replace("0.41", "0.410"), "column price: '0.410'; expected a multiple of 0.01"),
    "too high": (GOOD.replace("0.41", "21474836.48"), "column price: '21474836.48'; expected a multiple of 0.01 from -21474836.48"),
    "too low": (GOOD.replace("0.41", "-21474836.49"), "column price: '-21474836.49'; expected a multiple of 0.01"),
    "far too high": (GOOD.replace("0.41", "9" * 50), f"column price: '{'9' * 40}...'; expected a multiple of 0.01"),
    "lots off the grid": (
        GOOD.replace("quantity=5", "quantity=4"),
        "column quantity: '4'; expected a multiple of 5 from 0 to 21474836475, written as 60",
    ),
    "negative quantity": (GOOD.replace("quantity=5", "quantity=-5"), "column quantity: '-5'; expected a multiple of 5"),
    "too many lots": (GOOD.replace("quantity=5", "quantity=21474836480"), "column quantity: '21474836480'; expected a multiple of 5"),
    "unknown type": (f"{GOOD} type=limit+hidden", "column type: 'limit+hidden'; expected one of limit, market"),
    "unknown time in force": (f"{GOOD} time_in_force=day", "column time_in_force: 'day'; expected one of gtc, gtd, session, ioc, fok, gate"),
    "market that rests": (f"{GOOD} type=market time_in_force=gtc", "column time_in_force: 'gtc'; expected ioc, fok or nothing for the types market"),
    "stop that rests": (f"{GOOD} type=stop stop_price=1.00 time_in_force=gtd", "column time_in_force: 'gtd'; expected ioc, fok or nothing"),
    "unknown prevention": (f"{GOOD} self_trade_prevention=none", "column self_trade_prevention: 'none'; expected one of cancel_newest"),
    "iceberg without display": (f"{GOOD} type=iceberg", "column display_quantity: empty; expected a value for the type iceberg"),
    "display without iceberg": (f"{GOOD} display_quantity=5", "column display_quantity: '5'; expected no value without the type iceberg"),
    "minimum without one": (f"{GOOD} type=minimum", "column minimum_quantity: empty; expected a value for the type minimum"),
    "minimum of a limit": (f"{GOOD} minimum_quantity=5", "column minimum_quantity: '5'; expected no value without the type minimum"),
    "stop without price": (f"{GOOD} type=stop_limit", "column stop_price: empty; expected a value for the type stop"),
    "stop price of a limit": (f"{GOOD} stop_price=0.5", "column stop_price: '0.5'; expected no value without the type stop"),
    "long label": (f"{GOOD} label={'l' * 65}", "expected a name of at most 64 characters"),
    "legs of an order": (f"{GOOD} legs=2", "column legs: '2'; expected no value for the action place"),
    "legs out of range": (f"{GOOD.replace('place', 'basket')} legs=70000", "column legs: '70000'; expected a whole number from 0 to 65535"),
    "amend without quantity": ("amend order_id=1 price=0.41", "column quantity: empty; expected a value for the action amend"),
    "amend with an owner": ("amend order_id=1 price=0.41 quantity=5 owner=o", "column owner: 'o'; expected no value for the action amend"),
    "cancel without id": ("cancel instrument=A", "column order_id: empty; expected a value for the action cancel"),
    "cancel with a price": ("cancel order_id=1 price=0.41", "column price: '0.41'; expected no value for the action cancel"),
    "expire with a side": ("expire order_id=1 side=buy", "column side: 'buy'; expected no value for the action expire"),
    "mass cancel of nobody": ("mass_cancel instrument=A", "column owner: empty; expected a value for the action mass_cancel"),
    "mass cancel with an id": ("mass_cancel owner=o order_id=1", "column order_id: '1'; expected no value for the action mass_cancel"),
    "no phase": ("phase instrument=A", "column phase: empty; expected a value for the action phase"),
    "unknown phase": ("phase instrument=A phase=open", "column phase: 'open'; expected one of continuous, auction, halted"),
    "auction without reference": ("uncross instrument=A", "column reference_price: empty; expected a value for the action uncross"),
    "auction with a price": ("uncross instrument=A reference_price=1 price=0.41", "column price: '0.41'; expected no value for the action uncross"),
    "half a band": ("band instrument=A band_low=0.41", "column band_high: empty; expected a value with band_low; both empty for no band"),
    "other half of a band": ("band instrument=A band_high=0.41", "column band_low: empty; expected a value with band_high"),
    "band upside down": ("band instrument=A band_low=0.42 band_high=0.41", "column band_high: '0.41'; expected band_low or more"),
    "another's instrument": ("cancel order_id=1 instrument=B", "column instrument: 'B'; expected 'A' of that order, or nothing"),
}  # fmt: skip


def refusal_of(folder: Path, orders: Path) -> str:
    """The message with which a file is refused. Earlier results stay what they were, and no others come."""
    trades = folder / "trades.csv"
    trades.write_text("of yesterday\n", encoding="utf-8")
    before = sorted(folder.iterdir())
    with pytest.raises(InputError) as caught:
        match_file(MatchOptions(orders, trades, folder / "book.csv", folder / "events.csv", tick="0.01", lot="5"))
    assert sorted(folder.iterdir()) == before
    assert trades.read_text(encoding="utf-8") == "of yesterday\n"
    return str(caught.value)


@pytest.mark.parametrize(("line", "said"), LINES.values(), ids=LINES)
def test_a_bad_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    message = refusal_of(tmp_path, write_rows(tmp_path / "orders.csv", [row(GOOD), row(SELL), row(line)]))
    assert message.splitlines()[0].endswith("orders.csv: 1 problem, nothing was written")
    assert message.splitlines()[1].startswith("  line 4: column ")
    assert said in message


TIMES = {
    "earlier": ("4.999999999", "column time: '4.999999999'; expected no time before that of an earlier line"),
    "empty": ("", "column time: empty; expected a time in every line of a file with this column"),
    "negative": ("-1", "column time: '-1'; expected seconds"),
    "ten decimals": ("6.0000000001", "column time: '6.0000000001'; expected seconds, such as 1752537600 or 0.000125, with at most 9 decimals"),
    "no digits after the point": ("6.", "column time: '6.'; expected seconds"),
    "a date": ("2026-07-15", "column time: '2026-07-15'; expected seconds"),
    "beyond all time": ("4611686019", "column time: '4611686019'; expected seconds"),
}


@pytest.mark.parametrize(("time", "said"), TIMES.values(), ids=TIMES)
def test_a_bad_time_is_named(tmp_path: Path, time: str, said: str) -> None:
    rows = [row(f"{GOOD} time=5"), {**row(SELL), "time": time}]
    assert f"  line 3: {said}" in refusal_of(tmp_path, write_rows(tmp_path / "orders.csv", rows))


# bytes of a file, and what is said of it
FILES = {
    "nothing": (b"", "line 1: nothing; expected a header with columns of time, instrument"),
    "no header": (b"place,A\n", "line 1: column 'place'; expected a header"),
    "unknown column": (b"action,colour\n", "line 1: column 'colour'; expected a header"),
    "column twice": (b"action,order_id,action\n", "line 1: column action is there twice"),
    "no action": (b"order_id\n", "line 1: no column action"),
    "too few values": (b"action,order_id\ncancel,1\ncancel\n", "  line 3: 1 values; expected 2, one for each column"),
    "too many values": (b"action,order_id\n\ncancel,1,2\n", "  line 3: 3 values; expected 2, one for each column"),
    "line end in a text": (b'action,order_id\ncancel,1\ncancel,"a\nb"\ncancel,3\n', "  line 3: a quoted text goes on in the next line"),
    "open quote": (b'action,order_id\ncancel,"1\n', "unexpected end of data; expected comma-separated values"),
    "text after a quote": (b'action,order_id\ncancel,"1"2\n', "  line 2: ',' expected after '\"'; expected comma-separated values"),
    "not UTF-8": (b"action,order_id\ncancel,\xff\n", "expected text in UTF-8, found byte 0xff"),
}


@pytest.mark.parametrize(("content", "said"), FILES.values(), ids=FILES)
def test_a_file_that_is_none_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_bytes(content)
    assert said in refusal_of(tmp_path, orders)


def test_all_bad_lines_are_counted_and_twenty_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS_PER_PIECE", 7)
    rows = [row(GOOD.replace("0.41", "x") if index % 2 else GOOD.replace("order_id=1", f"order_id={index}")) for index in range(60)]
    message = refusal_of(tmp_path, write_rows(tmp_path / "orders.csv", rows)).splitlines()
    assert "30 problems" in message[0]
    assert [line.split(":")[0] for line in message[1:21]] == [f"  line {line}" for line in range(3, 43, 2)]
    assert message[21:] == ["  ... and 10 more in lines " + ", ".join(str(line) for line in range(43, 63, 2))]


def test_several_faults_of_one_line_are_all_told(tmp_path: Path) -> None:
    rows = [row("place order_id=1 owner=o side=up price=x quantity=5")]
    message = refusal_of(tmp_path, write_rows(tmp_path / "orders.csv", rows))
    assert [line.partition(";")[0] for line in message.splitlines()[1:]] == [
        "  line 2: column instrument: empty",
        "  line 2: column side: 'up'",
        "  line 2: column price: 'x'",
    ]


PLACES = {
    "the orders": ({"trades": "orders.csv"}, "--trades"),
    "twice the same": ({"trades": "x.csv", "book": "x.csv"}, "--book"),
    "no directory": ({"bars": "none/x.csv"}, "--bars"),
    "a directory": ({"events": "."}, "--events"),
}


@pytest.mark.parametrize(("names", "option"), PLACES.values(), ids=PLACES)
def test_a_place_that_cannot_be_is_named(tmp_path: Path, names: dict[str, str], option: str) -> None:
    orders = write_rows(tmp_path / "orders.csv", [row(GOOD)])
    content = orders.read_bytes()
    with pytest.raises(InputError, match=option):
        match_file(MatchOptions(orders, **{name: tmp_path / path for name, path in names.items()}))
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]
    assert orders.read_bytes() == content


@pytest.mark.parametrize("step", ["0", "-1", "0.00", "abc", "", "1e-4", "0.0000000001"])
@pytest.mark.parametrize("name", ["tick", "lot"])
def test_a_step_is_a_decimal_above_zero(tmp_path: Path, name: str, step: str) -> None:
    with pytest.raises(InputError, match=f"--{name}"):
        match_file(MatchOptions(write_rows(tmp_path / "orders.csv", [row(GOOD)]), **{name: step}))


def test_bars_need_a_time(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--bars needs the column time"):
        match_file(MatchOptions(write_rows(tmp_path / "orders.csv", [row(GOOD)]), bars=tmp_path / "bars.csv"))
