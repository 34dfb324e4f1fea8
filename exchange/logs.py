"""Logs of a running exchange: one line an event, JSON or readable text, with fields that a program can find.

    log_event(logger, logging.INFO, "session opened", session=7, account=34, key_id="plant-7")

What is logged never holds a key, a signature or what a client sent: events have fixed texts, their fields are ids and codes of the exchange's own.
Lines are written by a thread of their own: a collector that does not read its pipe may cost lines, and never holds the market up.

An exception is told by its type and its places in the code; its text only where it is one of ours or of the operating system, because a library's
text may quote the input it failed on.
"""

import json
import logging
import queue
import sys
import threading
import traceback
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, TextIO

from exchange.errors import ParkexError

_FRAMES_SHOWN: Final = 12
QUEUE_RECORDS: Final = 10_000  # that wait to be written; what comes on top is counted and left out
_FLUSH_TIMEOUT_S: Final = 2.0
_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class LogFormat(StrEnum):
    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def log_event(logger: logging.Logger, level: int, event: str, /, **fields: Any) -> None:
    """Log `event`, a fixed text, with its fields: what JSON can hold."""
    logger.log(level, event, extra={"fields": fields})


def configure_logging(log_format: LogFormat, level: LogLevel, stream: TextIO | None = None) -> "DetachedHandler":
    """Send the logs of this process to `stream` (standard error). `level` is that of the exchange; libraries speak from warnings on.

    Close what is returned at the end, so that the last lines are written.
    """
    handler = DetachedHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format is LogFormat.JSON else TextFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("parkex").setLevel(level.upper())
    logging.captureWarnings(capture=True)
    return handler


class DetachedHandler(logging.Handler):
    """Puts records into a bounded queue; a thread formats and writes them."""

    def __init__(self, stream: TextIO, records_max: int = QUEUE_RECORDS) -> None:
        super().__init__()
        self._stream = stream
        self._queue: queue.Queue[logging.LogRecord | None] = queue.Queue(records_max)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Write what is queued, as far as the stream takes it within two seconds. Safe to call again."""
        try:
            self._queue.put(None, timeout=_FLUSH_TIMEOUT_S)
        except queue.Full:
            self._dropped += 1
        else:
            self._thread.join(_FLUSH_TIMEOUT_S)
        super().close()

    def _write(self) -> None:
        told = 0
        while (record := self._queue.get()) is not None:
            lines = [self.format(record)]
            if self._dropped > told:
                told, lost = self._dropped, self._dropped - told
                lines.append(self.format(_made(logging.WARNING, "log lines were dropped", lines=lost)))
            try:
                self._stream.write("\n".join(lines) + "\n")
                self._stream.flush()
            except (OSError, ValueError):  # a closed pipe or file: there is nobody left to tell
                self._dropped += 1


def _made(level: int, event: str, **fields: Any) -> logging.LogRecord:
    """A record of the log's own."""
    record = logging.LogRecord("parkex.log", level, "", 0, event, None, None)
    record.fields = fields
    return record


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time` (UTC), `level`, `logger`, `event`, the event's fields, and of an exception its type and places."""

    def format(self, record: logging.LogRecord) -> str:
        told = {"time": _time(record), "level": record.levelname.lower(), "logger": record.name, "event": record.getMessage()}
        return json.dumps(told | {name: value for name, value in _fields(record).items() if name not in told}, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """The same for people: time, level, event, then field=value. A line stays one line whatever is in it."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={json.dumps(value, ensure_ascii=False, default=str)}" for name, value in _fields(record).items())
        return f"{_time(record)} {record.levelname.lower():7} {record.name}: {_on_one_line(record.getMessage())}{fields}"


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = getattr(record, "fields", {})
    if record.exc_info and record.exc_info[1] is not None:
        return fields | _described(record.exc_info)
    return fields


def _described(info: "_ExcInfo | tuple[None, None, None]") -> dict[str, Any]:
    error, places = info[1], traceback.extract_tb(info[2])[-_FRAMES_SHOWN:]
    described: dict[str, Any] = {"exception": type(error).__name__}
    if isinstance(error, (ParkexError, OSError)):
        described["reason"] = str(error)
    # From the code that raised outwards; the last two parts of a path are enough to find a file and say nothing about the machine.
    described["at"] = [f"{'/'.join(place.filename.rsplit('/', 2)[-2:])}:{place.lineno} {place.name}" for place in reversed(places)]
    return described


def _on_one_line(text: str) -> str:
    return text if text.isprintable() else json.dumps(text, ensure_ascii=False)[1:-1]
