"""The files of a demo: summary, statements, journal and read model, in a directory that the user names or in a temporary one."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exchange.errors import InputError
from exchange.settlement.rendering import settlement_to_dict, statement_to_dict, statement_to_text
from exchange.settlement.statement import DaySettlement


@dataclass(frozen=True, slots=True)
class OutputDirectory:
    """Where the files of one demo go; `private` holds keys and the bots' files and is removed at the end."""

    root: Path
    private: Path

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    @property
    def read_model_url(self) -> str:
        return f"sqlite:///{self.root / 'readmodel.sqlite'}"

    def write_private(self, name: str, content: bytes) -> Path:
        """A file that only this user can read."""
        path = self.private / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        return path

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        (self.root / "summary.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def write_statements(self, settlement: DaySettlement, chain_head: str) -> None:
        """One statement a participant: JSON, and text in English and Chinese, with the journal's head."""
        folder = self.root / "statements"
        folder.mkdir()
        for statement in settlement.statements:
            texts = "\n\n".join(statement_to_text(statement, language, chain_head) for language in ("en", "zh"))
            (folder / f"{statement.name}.txt").write_text(texts + "\n", encoding="utf-8")
            content = {**statement_to_dict(statement), "journal_head": chain_head}
            (folder / f"{statement.name}.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        report = json.dumps(settlement_to_dict(settlement), indent=2, ensure_ascii=False)
        (self.root / "settlement.json").write_text(report + "\n", encoding="utf-8")


@contextmanager
def open_output(out: Path | None) -> Iterator[OutputDirectory]:
    """The directory `out` (made if missing), or a temporary one that goes with the block. Raises InputError when `out` is not an empty directory."""
    with tempfile.TemporaryDirectory(prefix="parkex-") as temporary:
        private = Path(temporary) / "private"
        private.mkdir(mode=0o700)
        if out is None:
            root = Path(temporary) / "out"
            root.mkdir()
        else:
            root = out.absolute()
            check_empty(root)
            root.mkdir(parents=True, exist_ok=True)
        try:
            yield OutputDirectory(root, private)
        finally:
            shutil.rmtree(private, ignore_errors=True)


def check_empty(out: Path) -> None:
    """Raises InputError when `out` exists and is not an empty directory: a demo never writes over what is there."""
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: is a file; expected a directory that is empty or does not exist")
    if out.is_dir() and any(out.iterdir()):
        raise InputError(f"--out {out}: is not empty; name another directory")
