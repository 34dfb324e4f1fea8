"""Files that are there whole or not at all: written beside their place and moved there when everything has gone well."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from exchange.errors import InputError


@contextmanager
def whole_files(paths: dict[str, Path | None], source: Path) -> Iterator[dict[str, IO[str]]]:
    """Open files by option name for those that have a path; they take their places, over what was there, when the block ends without an exception.

    Raises InputError for a path that is that of another file or of `source`, or whose directory is not there.
    """
    wanted = {option: path for option, path in paths.items() if path is not None}
    _check_places(wanted, source)
    parts = {option: path.with_name(f".{path.name}.{os.getpid()}.part") for option, path in wanted.items()}
    try:
        with ExitStack() as opened:
            yield {option: opened.enter_context(part.open("w", encoding="utf-8", newline="")) for option, part in parts.items()}
        for option, part in parts.items():
            part.replace(wanted[option])
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _check_places(wanted: dict[str, Path], source: Path) -> None:
    taken = {source.resolve(): "the file of orders"}
    for option, path in wanted.items():
        if not path.parent.is_dir():
            raise InputError(f"{option} {path}: there is no directory {path.parent}")
        if path.is_dir():
            raise InputError(f"{option} {path}: is a directory; expected a file")
        place = path.resolve()
        if place in taken:
            raise InputError(f"{option} {path}: is {taken[place]} as well; name another file")
        taken[place] = f"the file of {option}"
