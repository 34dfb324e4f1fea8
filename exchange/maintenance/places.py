"""Where things lie in the folder of an exchange, as `parkex serve --journal FOLDER` makes it."""

from pathlib import Path
from typing import Final

from exchange.errors import InputError
from exchange.journal.walk import GENESIS_NAME, segment_files

JOURNAL_FOLDER: Final = "journal"
READ_MODEL_FILE: Final = "readmodel.sqlite"


def is_journal(path: Path) -> bool:
    """Whether a folder is a journal, a damaged one too."""
    return path.is_dir() and ((path / GENESIS_NAME).exists() or bool(segment_files(path)))


def journal_in(path: Path) -> Path:
    """The journal of an exchange's folder, or the folder itself when it is a journal. Raises InputError when it is neither."""
    for folder in (path, path / JOURNAL_FOLDER):
        if is_journal(folder):
            return folder
    raise InputError(f"there is no journal in {path}")


def read_model_beside(journal: Path) -> str | None:
    """URL of the read model's file beside a journal, or None when there is none."""
    file = journal.absolute().parent / READ_MODEL_FILE
    return f"sqlite:///{file}" if file.is_file() else None


def check_new(target: Path) -> None:
    """Raises InputError when `target` exists and is not an empty folder: nothing is ever written over what is there."""
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise InputError(f"{target} is not empty; name a folder that is empty or does not exist")
