"""Small streams for the tests of the benchmarks."""

from functools import cache
from pathlib import Path

from bench.workloads.generator import Parameters, generate
from bench.workloads.lobstrm import Stream, write

ONE_BOOK = Parameters(n=1_500, resting=40, seed=7)
MANY_BOOKS = Parameters(n=2_000, symbols=9, resting=12, mean=12.0, maxd=40, seed=2)


@cache
def small_stream(parameters: Parameters = ONE_BOOK) -> Stream:
    """A stream of some thousand messages."""
    return generate(parameters)


def stream_file(directory: Path, stream: Stream, **expected: object) -> Path:
    """The stream as a file, with other expected results where given."""
    path = directory / "small.bin"
    write(path, Stream(stream.name, stream.n_books, stream.n_warm, stream.resting, stream.messages, stream.expected | expected))
    return path
