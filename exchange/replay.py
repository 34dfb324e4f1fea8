"""Replay: fold a journal into a fresh exchange."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import takewhile
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from exchange.journal.interface import Genesis, Group
from exchange.journal.read_ahead import read_ahead
from exchange.journal.record import COMMAND
from exchange.journal.segments import check_epoch
from exchange.journal.walk import ChainWalk, load_layout
from exchange.order_path import canonical
from exchange.order_path.path import BatchResult, Exchange

MERGED: Final = 4096  # commands that are folded at once


class GroupSource(Protocol):
    """A journal, as far as replay needs it."""

    def groups(self, from_sequence: int = 1) -> Iterator[Group]: ...


def merged(groups: Iterable[Group], at_most: int = MERGED) -> Iterator[Group]:
    """The same commands in fewer, larger groups of their own memory: how they are cut changes no result, and each fold costs Python its fixed part.

    A group with documents stays alone, since its records point into them. A merged one has the chain hash of its last.
    """
    run: list[Group] = []
    n_in_run = 0
    for group in groups:
        alone = bool(group.documents) or len(group.records) >= at_most
        if run and (alone or n_in_run + len(group.records) > at_most):
            yield _joined(run)
            run, n_in_run = [], 0
        if alone:
            yield _joined([group])
        else:
            run.append(group)
            n_in_run += len(group.records)
    if run:
        yield _joined(run)


def _joined(run: list[Group]) -> Group:
    first = run[0]
    if len(run) == 1 and first.records.flags.writeable:
        return first
    records = np.frombuffer(bytearray().join(group.records.view(np.uint8).data for group in run), COMMAND)
    return Group(first.first_sequence, first.epoch, records, first.documents, run[-1].chain_hash)


def replay_into(
    exchange: Exchange, journal: GroupSource, on_batch: Callable[[BatchResult], None] | None = None, until_sequence: int | None = None
) -> None:
    """Fold every group from the exchange's next sequence on, or those up to the one that ends with `until_sequence`.

    Without `on_batch` what the commands did is not kept; then no other thread may look at the exchange meanwhile.
    """
    groups = journal.groups(exchange.last_sequence + 1)
    if until_sequence is not None:
        groups = takewhile(lambda group: group.first_sequence <= until_sequence, groups)
    if on_batch is not None:
        for group in groups:
            on_batch(exchange.apply(group.records, group.documents, group.first_sequence))
        return
    for group in merged(groups):
        exchange.replay(group.records, group.documents, group.first_sequence)


class ChainSource:
    """The groups of a journal directory in one pass: each is checked in a second thread and folded in this one."""

    def __init__(self, directory: Path, archive: Path | None = None) -> None:
        self._layout = load_layout(directory, archive)
        self._walk = ChainWalk(self._layout)

    @property
    def genesis(self) -> Genesis:
        return self._layout.genesis

    @property
    def chain_hash(self) -> str:
        """Hash of the head (hex) after all groups were read."""
        return self._walk.position.chain_hash.hex()

    def groups(self, from_sequence: int = 1) -> Generator[Group]:
        """Raises CorruptionError where the chain is damaged, after the groups before it."""
        # Joined here and not there: checking takes longer than folding, and joining is the only copy.
        yield from merged(read_ahead(group.decode(from_sequence, in_place=True) for group in self._walk))
        check_epoch(self._layout, self._walk)


def replay_directory(directory: Path, archive: Path | None = None) -> tuple[Exchange, str]:
    """(exchange, hash of the journal's head) of a journal directory, opened read-only, with the segments that were moved to `archive` in front.

    Raises InputError when there is no journal, CorruptionError when committed data is damaged.
    """
    source = ChainSource(directory, archive)
    exchange = Exchange(source.genesis)
    with closing(source.groups()) as groups:
        for group in groups:
            exchange.replay(group.records, group.documents, group.first_sequence)
    return exchange, source.chain_hash


def state_hash_hex(exchange: Exchange) -> str:
    """Hash of the whole state, 64 lowercase hex digits."""
    return canonical.state_hash(exchange).hex()
