"""A file of readings on its way into an exchange: checked whole, compared with what is there, then one document after the other.

Nothing is loaded while anything refuses the file. A load that is interrupted is repeated as it was: what is there is recognised and passed over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from exchange.errors import InputError
from exchange.gateway.validate import pack_command
from exchange.journal.record import COMMAND, CommandKind
from exchange.metering.device_readings import VERSIONS, problem_of
from exchange.metering.files.load import ReadFile, documents_of, history_of, read_file
from exchange.metering.files.problems import FLAGGING, REFUSING
from exchange.metering.files.registers import DIGITS_DEFAULT
from exchange.metering.files.rows import OnProgress, Park
from exchange.metering.files.series import History, check_series
from exchange.metering.validation import REVISION_LIMIT
from exchange.order_path.tables import Rooms
from exchange.protocol.documents import encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.metering import DeviceReadings

# A document holds up orders for as long as it takes to be applied: some 10 ms at this size.
LIVE_ROWS_MAX: Final = 20_000


class CommandNode(Protocol):
    """Where documents go."""

    def submit(self, record: NDArray[np.void], document: bytes = b"") -> Awaitable[Any]: ...


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """What is said about a file: its name, revision and version, and how many digits its registers have."""

    source: str
    revision: int = 1
    version: str = "preliminary"
    digits: int = DIGITS_DEFAULT
    rows_max: int = LIVE_ROWS_MAX

    def check(self) -> None:
        """Raises InputError."""
        if self.version not in VERSIONS:
            raise InputError(f"version: expected one of {', '.join(VERSIONS)}")
        if not 0 <= self.revision <= REVISION_LIMIT:
            raise InputError("revision: expected 0 to 2147483647")
        if not 1 <= self.digits <= 12:
            raise InputError("digits: expected 1 to 12")
        if len(self.source) > 200:
            raise InputError("source: expected at most 200 characters")


@dataclass(slots=True)
class UploadReport:
    """`refusals` keep the file out, `flags` do not. `documents` were carried out; of their rows some replaced others and some were there already."""

    rows: int = 0
    devices: int = 0
    refusals: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    documents: int = 0
    loaded: int = 0
    replaced: int = 0
    already_there: int = 0


async def check_upload(
    file: BinaryIO, park: Park, rooms: Rooms, now_ns: int, options: UploadOptions, on_progress: OnProgress = lambda _n: None
) -> tuple[UploadReport, list[DeviceReadings]]:
    """(report, documents that would carry the file): everything that keeps it out is in the report.

    The file is worked on in a thread; what is there already is looked at in the loop, since nobody else writes then. Raises InputError for wrong
    options and for a file of another kind.
    """
    options.check()
    read = await asyncio.to_thread(read_file, file, options.source, park, now_ns, options.digits, on_progress)
    history = history_of(rooms.meters, read.rows)
    documents = await asyncio.to_thread(_look_through, read, park, history, options)
    findings = read.findings
    report = UploadReport(
        rows=len(read.rows.device), devices=read.n_devices, refusals=findings.texts(REFUSING), flags=findings.texts(FLAGGING),
        counts={str(finding): count for finding, count in sorted(findings.counts.items())},
    )  # fmt: skip
    report.refusals += await _refused_by_state(read, documents, rooms, now_ns, options)
    return report, documents


def _look_through(read: ReadFile, park: Park, history: History, options: UploadOptions) -> list[DeviceReadings]:
    if read.findings.refusals:
        return []
    check_series(read.rows, park, read.findings, history)
    return list(documents_of(read.rows, options.revision, options.version, options.source, options.rows_max))


async def _refused_by_state(read: ReadFile, documents: Sequence[DeviceReadings], rooms: Rooms, now_ns: int, options: UploadOptions) -> list[str]:
    """The first row of the file that what is there keeps out: a settled period, a closed month, a revision that is not higher."""
    first = 0
    for document in documents:
        problem = problem_of(rooms.meters, document, rooms.devices, now_ns)
        n_grid = len(document.grid_starts_ns)  # rows of the grid meter come first
        if problem is not None:
            place = first + problem.row + (0 if problem.grid else n_grid)
            line = "" if problem.row < 0 else f", line {read.rows.line[place]}"
            return [f"{options.source}{line}: {problem.rule.name.lower()}"]
        first += n_grid + len(document.import_wh)
        await asyncio.sleep(0)
    return []


async def load_documents(
    node: CommandNode, documents: Sequence[DeviceReadings], report: UploadReport, account: int, key_number: int,
    on_document: Callable[[int], None] = lambda _n: None,
) -> str | None:
    """Carry out the documents in order and count in `report`; None, or the rule that refused one. `on_document` is told the rows of each.

    Raises what the node raises when it takes nothing.
    """  # fmt: skip
    for document in documents:
        record = np.frombuffer(bytearray(pack_command(CommandKind.DOCUMENT, account, 0, order_id=key_number)), COMMAND)
        answer = await node.submit(record, encode_document(document))
        code, result = int(answer.outcome["code"]), answer.result or {}
        if code:
            return str(result.get("rule", RejectCode(code).name.lower()))
        report.documents += 1
        report.replaced += result["replaced"]
        report.already_there += result["already_there"]
        report.loaded += result["rows"] - result["already_there"]
        on_document(result["rows"])
        await asyncio.sleep(0)  # orders that wait go first
    return None
