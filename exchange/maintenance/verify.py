"""Verifying what an operator holds: an exchange's folder, a journal, or a backup. Nothing is changed.

From outside in: the digests of a backup, the chain byte by byte, the watermarks of snapshots and read model, the state by replay, and
beside the replay the invariants of money, units, energy and claims and every row of the read model.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from exchange.errors import CheckFailedError, CorruptionError
from exchange.journal.interface import Watermark
from exchange.journal.segments import JournalReader
from exchange.journal.snapshots import SNAPSHOTS_FOLDER, snapshot_files
from exchange.journal.verify import verify
from exchange.journal.walk import load_layout
from exchange.journal.watermarks import check_watermark
from exchange.maintenance.audit import Audited, audit
from exchange.maintenance.backup import check_backup
from exchange.maintenance.invariants import all_watches
from exchange.maintenance.manifest import is_backup
from exchange.maintenance.places import JOURNAL_FOLDER, journal_in, read_model_beside
from exchange.maintenance.stored_rows import RowsBeside, StoredRows
from exchange.maintenance.stored_rows_process import StoredRowsProcess
from exchange.readmodel.projector import stored_watermark

Say = Callable[[str], None]

# Commands from which on the rows are compared in a process of their own, whose start costs a second.
WORTH_A_PROCESS: Final = 50_000


def verify_path(path: Path, say: Say, archive: Path | None = None, read_model_url: str | None = None) -> Audited:
    """Check everything at `path` and tell it line by line.

    Without a URL the read model is the file beside the journal, if there is one. Raises CheckFailedError with the place of the first breach, and
    InputError when there is nothing to verify.
    """
    try:
        if is_backup(path):
            manifest = check_backup(path)
            say(f"backup      {len(manifest.files)} files, {manifest.total_bytes:,} bytes: every digest holds")
            return verify_journal(path / JOURNAL_FOLDER, say, archive)
        journal = journal_in(path)
        return verify_journal(journal, say, archive, read_model_url or read_model_beside(journal))
    except CorruptionError as error:
        raise CheckFailedError(str(error)) from error


def verify_journal(journal: Path, say: Say, archive: Path | None = None, read_model_url: str | None = None) -> Audited:
    """As `verify_path`, for a journal's folder. Raises CorruptionError too."""
    with ExitStack() as opened:
        # Beside a live node all of it grows: what must not be ahead of the journal is read before it.
        snapshots = journal / SNAPSHOTS_FOLDER
        marks = [Watermark(path.name, sequence) for sequence, path in snapshot_files(snapshots)[:1]]
        start_of_chain = load_layout(journal, archive).genesis_hash.hex()
        of_read_model = stored_watermark(read_model_url, start_of_chain) if read_model_url is not None else None
        stored = None if of_read_model is None or read_model_url is None else opened.enter_context(_rows_beside(read_model_url, of_read_model))
        report = verify(journal, archive=archive)
        say(
            f"chain       {report.segments} segments, {report.groups} groups, sequences {report.first_sequence} to {report.head.sequence}: "
            f"every byte holds, head {report.head.chain_hash}"
        )
        if report.torn_tail is not None:
            tail = report.torn_tail
            say(f"torn tail   {tail.segment}, byte {tail.offset}: left by a crash and never acknowledged, cut by the next start")
        if stored is not None:
            marks.append(Watermark("the read model", stored.last_sequence))
        reader = JournalReader.open(journal, marks, archive)
        audited = audit(reader, snapshots, watches=all_watches(), stored=stored)
    _tell(audited, say)
    if of_read_model is not None:
        _check_read_model(reader, of_read_model, audited.stored_rows, say)
    return audited


def _rows_beside(url: str, seen: Watermark) -> RowsBeside:
    return StoredRowsProcess(url) if seen.sequence >= WORTH_A_PROCESS and _has_second_core() else StoredRows(url)


def _has_second_core() -> bool:
    return len(os.sched_getaffinity(0)) > 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) > 1


def _tell(audited: Audited, say: Say) -> None:
    for reason in audited.passed_over:
        say(f"snapshot    passed over: {reason}")
    for sequence in audited.snapshots:
        say(f"snapshot    at {sequence}: in the chain, and the state that the journal gives")
    start = "the genesis" if audited.first_sequence == 1 else f"the snapshot at {audited.first_sequence - 1}"
    say(
        f"replay      from {start} to {audited.exchange.last_sequence}: {audited.checkpoints} checkpoints and all invariants hold, "
        f"state hash {audited.state_hash}"
    )
    for finding in audited.findings:
        say(f"invariants  {finding.invariants} {finding.subject}: {finding.checked}")
        for what in finding.waiting:
            say(f"correction  {what}")


def _check_read_model(reader: JournalReader, mark: Watermark, rows: int | None, say: Say) -> None:
    if mark.sequence < reader.first_sequence - 1:
        raise CheckFailedError(f"the read model is at {mark.sequence} and the journal begins with {reader.first_sequence}: name the archive")
    check_watermark(reader, mark)
    seen = "in the chain" if mark.chain_hash else "which the journal reaches"
    compared = "its rows are not compared, since the journal is not there from its beginning" if rows is None else f"{rows:,} rows are what it gives"
    say(f"read model  at {mark.sequence} of {reader.next_sequence - 1}, {seen}; {compared}")
