"""The two standard streams by number, and any others by file. A standard one is made on first use and kept in the cache."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.workloads.generator import Parameters, generate
from bench.workloads.lobstrm import Stream, load, write
from matching.compile import cache_root

STANDARD: Final = {
    "1": Parameters(),
    "2": Parameters(symbols=1_000, resting=100, mean=12.0, maxd=40, seed=2),
}


def streams_directory() -> Path:
    """Where streams that were made are kept: below PARKEX_CACHE_DIR, or `parkex` in the user's cache directory."""
    return cache_root(os.environ) / "streams"


def cached_stream(parameters: Parameters) -> Stream:
    """The stream of these parameters, from the cache or made now. A cache that cannot be written is passed over."""
    path = streams_directory() / f"{parameters.slug}.bin"
    if path.exists():
        try:
            return load(path)
        except ValueError:
            print(f"{path} is damaged and made again", file=sys.stderr)
    print(f"making {parameters.n} messages behind {parameters.symbols * parameters.resting} resting orders ...", end="", file=sys.stderr, flush=True)
    stream = generate(parameters, path.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, stream)
        print(f" kept as {path}", file=sys.stderr)
    except OSError as error:
        print(f" not kept: {error}", file=sys.stderr)
    return stream


def open_stream(name: str) -> Stream:
    """A standard stream by its number, named "stream 1" or "stream 2", or a file. Raises OSError or ValueError for a file that is no stream."""
    return replace(cached_stream(STANDARD[name]), name=f"stream {name}") if name in STANDARD else load(Path(name))
