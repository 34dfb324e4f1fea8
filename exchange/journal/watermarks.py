"""Sequences that others have already seen: a journal that ends before one of them, or says something else there, is damaged."""

from collections.abc import Iterable

from exchange.errors import CorruptionError, JournalShorterError
from exchange.journal.interface import ReadableJournal, Watermark


class WatermarkCheck:
    """Compares watermarks with the groups of a journal, in one pass in order."""

    def __init__(self, watermarks: Iterable[Watermark]) -> None:
        self._pending = sorted((mark for mark in watermarks if mark.sequence > 0), key=lambda mark: mark.sequence, reverse=True)
        self.highest = max((mark.sequence for mark in self._pending), default=0)

    def skip_to(self, sequence: int) -> None:
        """Forget the watermarks up to `sequence`: those groups are not read."""
        while self._pending and self._pending[-1].sequence <= sequence:
            self._pending.pop()

    def pass_group(self, last_sequence: int, chain_hash: bytes, place: str) -> None:
        """Check the watermarks inside a group. Raises CorruptionError where a chain hash differs or does not stand at the end of a group."""
        while self._pending and self._pending[-1].sequence <= last_sequence:
            mark = self._pending.pop()
            if mark.chain_hash is None:
                continue
            if mark.sequence != last_sequence or mark.chain_hash != chain_hash.hex():
                raise CorruptionError(f"{place}: the journal does not hold what {mark.name} has seen at sequence {mark.sequence}")

    def finish(self, last_sequence: int) -> None:
        """Raises JournalShorterError when a watermark lies behind the end."""
        if self._pending:
            mark = self._pending[0]
            raise JournalShorterError(f"the journal ends at sequence {last_sequence}, but {mark.name} has seen sequence {mark.sequence}")


def check_watermark(journal: ReadableJournal, mark: Watermark) -> None:
    """The same check on a journal that is open, for a mark that is known only then. Raises JournalShorterError or CorruptionError."""
    check = WatermarkCheck([mark])
    if mark.chain_hash is not None and 0 < mark.sequence < journal.next_sequence:
        found = journal.chain_hash_at(mark.sequence)
        check.pass_group(mark.sequence, bytes.fromhex(found) if found else b"", f"sequence {mark.sequence}")
    check.skip_to(journal.next_sequence - 1)
    check.finish(journal.next_sequence - 1)
