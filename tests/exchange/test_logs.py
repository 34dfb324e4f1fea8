"""Log lines: one event a line in both formats, nothing of a client's in them."""

import io
import json
import logging
import re
import threading
from collections.abc import Iterator

import pytest

from exchange.errors import InputError
from exchange.logs import DetachedHandler, JsonFormatter, LogFormat, LogLevel, TextFormatter, configure_logging, log_event
from tests.exchange.gateway.parks import RunningPark, private_key, request, running_park
from tests.exchange.gateway.test_rest import traded


@pytest.fixture
def logger() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger of its own with both formats, a line each."""
    stream = io.StringIO()
    logger = logging.getLogger("parkex.test")
    logger.propagate = False
    for formatter in (JsonFormatter(), TextFormatter()):
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield logger, stream
    logger.handlers.clear()
    logger.propagate = True


def test_fields_in_both_formats(logger) -> None:
    log_event(logger[0], logging.WARNING, "session ended", session=7, key_id="plant-7", reason=None, time="ours wins")
    as_json, as_text = logger[1].getvalue().splitlines()
    told = json.loads(as_json)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", told.pop("time"))
    assert told == {"level": "warning", "logger": "parkex.test", "event": "session ended", "session": 7, "key_id": "plant-7", "reason": None}
    assert as_text.split(" ", 1)[1] == 'warning parkex.test: session ended session=7 key_id="plant-7" reason=null time="ours wins"'


@pytest.mark.parametrize("text", ["a\nb", "a\r\x1b[31mb", "a\x00b"])
def test_a_line_stays_one_line(logger, text: str) -> None:
    logger[0].warning("%s", text)
    log_event(logger[0], logging.INFO, "fixed", name=text)
    lines = logger[1].getvalue().split("\n")
    assert len(lines) == 5
    assert all(line.isprintable() for line in lines)
    assert json.loads(lines[0])["event"] == json.loads(lines[2])["name"] == text


@pytest.mark.parametrize(
    ("error", "told"), [(InputError("our own words"), True), (OSError("the system's words"), True), (ValueError("secret"), False)]
)
def test_of_a_foreign_exception_only_type_and_place_are_told(logger, error: Exception, told: bool) -> None:
    try:
        raise error
    except (InputError, OSError, ValueError):
        logger[0].exception("a command failed")
    for line in logger[1].getvalue().splitlines():
        assert type(error).__name__ in line
        assert "exchange/test_logs.py:" in line
        assert (str(error) in line) is told


def test_configured_for_a_process() -> None:
    root = logging.getLogger()
    kept, level = root.handlers[:], (root.level, logging.getLogger("parkex").level)
    stream = io.StringIO()
    try:
        root.handlers = []  # those of the test runner are not for closing
        handler = configure_logging(LogFormat.JSON, LogLevel.INFO, stream)
        logging.getLogger("parkex.x").info("told")
        logging.getLogger("parkex.x").debug("not told")
        logging.getLogger("other").info("not told")
        logging.getLogger("other").warning("told")
        handler.close()
    finally:
        logging.captureWarnings(capture=False)
        root.handlers = kept
        root.setLevel(level[0])
        logging.getLogger("parkex").setLevel(level[1])
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["told", "told"]


class StuckPipe(io.StringIO):
    """Takes nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.taken, self.go = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.taken.set()
        self.go.wait()
        return super().write(text)


def test_a_reader_that_does_not_read_costs_lines_and_holds_nobody_up() -> None:
    stream = StuckPipe()
    handler = DetachedHandler(stream, records_max=3)
    handler.setFormatter(JsonFormatter())
    handler.handle(logging.makeLogRecord({"msg": "first"}))
    stream.taken.wait()
    for number in range(10):
        handler.handle(logging.makeLogRecord({"msg": f"n{number}"}))
    stream.go.set()
    handler.close()
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["event"] for event in told] == ["first", "n0", "log lines were dropped", "n1", "n2"]
    assert told[2]["lines"] == 7
    handler.close()


def test_a_closed_stream_ends_nothing() -> None:
    stream = io.StringIO()
    stream.close()
    handler = DetachedHandler(stream)
    for _ in range(3):
        handler.handle(logging.makeLogRecord({"msg": "lost"}))
    handler.close()
    assert not handler._thread.is_alive()


async def events_of(park: RunningPark) -> None:
    await traded(park)
    operator = park.raw()
    await operator.log_on("operator")
    deposit = {"account": 33, "amount_micro": 5, "reference": "SECRET-REFERENCE"}
    await operator.ask("operator.submit", {"schema": "deposit", "document": deposit})
    client = park.raw()
    await client.log_on("factory", signer="solar")
    await client.log_on("nobody-SECRET")
    client.send("SECRET garbage", request("order.place", {"SECRET": 1}))
    operator.connection.disconnected()


async def test_a_gateway_tells_sessions_and_acts_and_nothing_of_what_clients_send(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "parkex"):
        async with running_park() as park:
            await events_of(park)
    told = [(record.getMessage(), getattr(record, "fields", {})) for record in caplog.records]
    names = [event for event, _ in told]
    assert names.count("session opened") == 3
    assert ("logon refused", {"code": 5005, "account": 33, "key_id": "factory"}) in told
    assert ("logon refused", {"code": 5003, "account": None, "key_id": None}) in told
    acts = [fields for event, fields in told if event == "document recorded"]
    assert [(act["account"], act["key_id"], act["schema"], act["code"]) for act in acts] == [(32, "operator", "deposit", 0)]
    assert next(fields["reason"] for event, fields in told if event == "session ended") == "client"
    lines = [JsonFormatter().format(record) + TextFormatter().format(record) for record in caplog.records]
    assert not [line for line in lines if "SECRET" in line]
    assert not [line for line in lines if private_key("operator").private_bytes_raw().hex() in line]
