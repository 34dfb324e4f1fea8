"""stream.c: compiled by the system's compiler, loaded into this process and handed the functions of the core."""

import ctypes
from pathlib import Path
from typing import Any, Final

from bench.embedding.compiler import compile_c
from bench.workloads.lobstrm import HEADER, MAGIC, MESSAGE, Stream
from matching.embedding import c_api, include_directory

SOURCE: Final = Path(__file__).parent / "stream.c"
EVENTS_CAPACITY: Final = 1 << 14
STATUS: Final = ("done", "the header of another version", "not an order stream", "out of memory")  # by stream_status


class StreamResult(ctypes.Structure):
    """`stream_result` of stream.c."""

    _fields_ = (
        ("n_messages", ctypes.c_int64),
        ("n_events", ctypes.c_int64),
        ("trades", ctypes.c_int64),
        ("volume", ctypes.c_int64),
        ("live_orders", ctypes.c_int64),
        ("hash", ctypes.c_uint64),
        ("ns_per_message", ctypes.c_double),
    )


def stream_bytes(stream: Stream) -> bytes:
    """A stream as it stands in its file."""
    messages = stream.messages
    last_id = int(messages["id"].max(initial=0))
    return HEADER.pack(MAGIC, MESSAGE.itemsize, stream.n_books, stream.n_warm, stream.resting, len(messages), last_id) + messages.tobytes()


class StreamProgram:
    """stream.c, built in `directory` and loaded."""

    def __init__(self, directory: Path) -> None:
        library = ctypes.CDLL(str(compile_c(SOURCE, directory / "stream.so", f"-I{include_directory()}", "-shared", "-fPIC")))
        self._run: Any = library.run_stream
        self._run.restype = ctypes.c_int
        self._run.argtypes = (
            ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int, ctypes.POINTER(StreamResult),
        )  # fmt: skip

    def run(self, content: bytes, batch: int, *, fold: bool = False, events_capacity: int = EVENTS_CAPACITY) -> StreamResult:
        """Drive a new core with a stream, `batch` messages a call; the buffer of events grows where it must.

        ValueError for bytes that are no stream, MemoryError without memory.
        """
        result = StreamResult()
        status = self._run(c_api(), content, len(content), batch, events_capacity, fold, ctypes.byref(result))
        if status:
            raise (MemoryError if STATUS[status] == "out of memory" else ValueError)(STATUS[status])
        return result
