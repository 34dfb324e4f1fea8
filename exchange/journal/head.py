"""The head file: how far the journal is known to be durable, and the epoch. It tells a damaged last group from one that was never finished.

Two slots of 512 bytes (a sector each) are overwritten in turn behind each group, after the group is durable and without a flush of their own: a
microsecond-scale cost. What the slots say can therefore lag behind the journal after a power failure, but never run ahead of it; a killed process
loses nothing, since the system still holds the page. On opening and on closing the file is replaced whole and flushed, with the same state in both
slots. So after a clean close both slots must be right, and otherwise one may be half-written.
"""

import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from exchange.errors import CorruptionError
from exchange.journal.files import FileOps, read_bytes, write_all, write_durably
from exchange.journal.format import FORMAT_VERSION, check_block, seal_block
from exchange.journal.interface import Head

HEAD_NAME: Final = "head"
HEAD_MAGIC: Final = b"\x89PKXHED\n"
SLOT_BYTES: Final = 512
_SLOT: Final = struct.Struct("<8sIIIIQQQQQQ32s32s")


@dataclass(frozen=True, slots=True)
class HeadState:
    """One slot. `end_offset` is where the last group ends inside segment `segment_index`."""

    clean: int  # 1 from a clean close to the next opening for writing
    generation: int  # counts the states of this file
    epoch: int
    sequence: int
    group_index: int
    segment_index: int
    end_offset: int
    chain_hash: bytes
    genesis_hash: bytes

    def head(self) -> Head:
        return Head(self.sequence, self.group_index, self.epoch, self.chain_hash.hex())


def encode_slot(state: HeadState) -> bytes:
    packed = _SLOT.pack(
        HEAD_MAGIC,
        FORMAT_VERSION,
        SLOT_BYTES,
        state.clean,
        0,
        state.generation,
        state.epoch,
        state.sequence,
        state.group_index,
        state.segment_index,
        state.end_offset,
        state.chain_hash,
        state.genesis_hash,
    )
    return seal_block(packed.ljust(SLOT_BYTES - 4, b"\0"))


def decode_slot(block: bytes, place: str) -> HeadState:
    check_block(block, HEAD_MAGIC, place)
    _, _, _, clean, _, *rest = _SLOT.unpack_from(block)
    return HeadState(clean, *rest)


def read_head(path: Path, genesis_hash: bytes) -> HeadState:
    """The newest state in the head file. Raises CorruptionError when it is missing or damaged, or belongs to another journal."""
    try:
        data = read_bytes(path)
    except FileNotFoundError:
        raise CorruptionError(f"{path.name} is missing: how far the journal was committed is not known") from None
    states: list[HeadState] = []
    damage: CorruptionError | None = None
    for slot in range(2):
        try:
            states.append(decode_slot(data[slot * SLOT_BYTES : (slot + 1) * SLOT_BYTES], f"{path.name}, byte {slot * SLOT_BYTES}"))
        except CorruptionError as error:
            damage = error
    newest = max(states, key=lambda state: state.generation, default=None)
    if damage is not None and (newest is None or newest.clean):
        raise damage
    if newest is None or len(data) != 2 * SLOT_BYTES:
        raise CorruptionError(f"{path.name}: {len(data)} bytes instead of {2 * SLOT_BYTES}")
    if newest.genesis_hash != genesis_hash:
        raise CorruptionError(f"{path.name} belongs to another journal")
    return newest


def replace_head(files: FileOps, path: Path, state: HeadState) -> None:
    """Write the file whole and flush it."""
    write_durably(files, path, [encode_slot(state) * 2])


class HeadWriter:
    """The head file of a journal open for writing."""

    def __init__(self, files: FileOps, path: Path, state: HeadState) -> None:
        self._files = files
        self._path = path
        self.state = state
        replace_head(files, path, state)
        self._fd = files.open(path, os.O_WRONLY)

    def advance(self, sequence: int, group_index: int, segment_index: int, end_offset: int, chain_hash: bytes) -> None:
        """Note that everything up to here is durable. Not flushed."""
        old = self.state
        state = HeadState(0, old.generation + 1, old.epoch, sequence, group_index, segment_index, end_offset, chain_hash, old.genesis_hash)
        write_all(self._files, self._fd, encode_slot(state), state.generation % 2 * SLOT_BYTES)
        self.state = state

    def flush(self) -> None:
        self._files.fdatasync(self._fd)

    def close_clean(self) -> None:
        """Leave the file as that of a journal that was closed in order."""
        self.close()
        self.state = replace(self.state, clean=1, generation=self.state.generation + 1)
        replace_head(self._files, self._path, self.state)

    def close(self) -> None:
        self._files.close(self._fd)
