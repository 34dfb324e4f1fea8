"""Bytes of the journal: genesis, segment header, group. Little-endian. Fixed since the first commit; docs/architecture-journal.md shows the tables.

Genesis file     magic, format version, length of the body, body (MessagePack map), CRC32. Its SHA-256 is the start of the chain.
Segment file     header of 256 bytes, groups, zeros up to the size it was preallocated with.
Group            header of 64 bytes, records, documents, zeros up to a multiple of 64, the last 36 bytes being the chain hash and the CRC32.

The chain hash is SHA-256 over the chain hash before and every byte of the group before the hash. The CRC32 runs over everything before it and
starts from a value derived from the genesis, so what a client sends in a document, or what another journal left on the disk, never looks like a
group.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from exchange.errors import CorruptionError, InputError
from exchange.journal.interface import HASH_BYTES, Genesis, Group, Records
from exchange.journal.record import COMMAND

FORMAT_VERSION: Final = 1

GENESIS_MAGIC: Final = b"\x89PKXGEN\n"
SEGMENT_MAGIC: Final = b"\x89PKXSEG\n"
GROUP_MAGIC: Final = b"\x89PKXGRP\n"

ALIGNMENT: Final = 64  # of groups inside a segment
SEGMENT_HEADER_BYTES: Final = 256
GROUP_HEADER_BYTES: Final = 64
TRAILER_BYTES: Final = HASH_BYTES + 4
GROUP_BYTES_MAX: Final = 1 << 30

_PREFIX: Final = struct.Struct("<8sII")  # magic, format version, length of the body or of the block
_CRC: Final = struct.Struct("<I")
_SEGMENT: Final = struct.Struct("<8sIIQQQQQ32s32s")
_GROUP: Final = struct.Struct("<8sIIIIQQQ16x")


def crc_seed(genesis_hash: bytes) -> int:
    """What the CRC32 of every group of this journal starts from."""
    return zlib.crc32(genesis_hash)


def check_block(block: bytes, magic: bytes, place: str) -> None:
    """Check the frame that genesis, segment header and head slot share: magic, format version, length, CRC32 in the last four bytes.

    Raises CorruptionError for damage, and InputError for a whole block of a format that this version does not know.
    """
    if len(block) < _PREFIX.size + _CRC.size:
        raise CorruptionError(f"{place}: only {len(block)} bytes are left")
    found, version, _ = _PREFIX.unpack_from(block)
    if _CRC.unpack_from(block, len(block) - _CRC.size)[0] != zlib.crc32(block[: -_CRC.size]):
        raise CorruptionError(f"{place}: the checksum does not match")
    if found != magic:
        raise CorruptionError(f"{place}: not what its name says (it begins with {found!r})")
    if version != FORMAT_VERSION:
        raise InputError(f"{place}: format version {version} is unknown; this program reads version {FORMAT_VERSION}")


def seal_block(body: bytes) -> bytes:
    """`body` with its CRC32 behind it."""
    return body + _CRC.pack(zlib.crc32(body))


# Genesis


def encode_genesis(genesis: Genesis) -> bytes:
    """The genesis file, whole."""
    body = msgspec.msgpack.encode(genesis)
    return seal_block(_PREFIX.pack(GENESIS_MAGIC, FORMAT_VERSION, len(body)) + body)


def decode_genesis(data: bytes, place: str = "genesis") -> Genesis:
    """Read a genesis file. Raises CorruptionError, or InputError for an unknown format version."""
    check_block(data, GENESIS_MAGIC, place)
    body = data[_PREFIX.size : -_CRC.size]
    if len(body) != _PREFIX.unpack_from(data)[2]:
        raise CorruptionError(f"{place}: the length of its body does not match")
    try:
        return msgspec.msgpack.decode(body, type=Genesis)
    except msgspec.MsgspecError as error:
        raise CorruptionError(f"{place}: {error}") from None


def genesis_hash(encoded_genesis: bytes) -> bytes:
    """Start of the chain."""
    return hashlib.sha256(encoded_genesis).digest()


# Segment header


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """Links a segment to what lies before it. `first_sequence` and `first_group` are those of the first group that will stand in it."""

    segment_index: int
    first_sequence: int
    first_group: int
    segment_bytes: int
    epoch: int
    genesis_hash: bytes
    previous_hash: bytes


def encode_segment_header(header: SegmentHeader) -> bytes:
    packed = _SEGMENT.pack(
        SEGMENT_MAGIC,
        FORMAT_VERSION,
        SEGMENT_HEADER_BYTES,
        header.segment_index,
        header.first_sequence,
        header.first_group,
        header.segment_bytes,
        header.epoch,
        header.genesis_hash,
        header.previous_hash,
    )
    return seal_block(packed.ljust(SEGMENT_HEADER_BYTES - _CRC.size, b"\0"))


def decode_segment_header(data: bytes, place: str) -> SegmentHeader:
    """Read the header at the start of a segment. Raises CorruptionError, or InputError for an unknown format version."""
    block = data[:SEGMENT_HEADER_BYTES]
    check_block(block, SEGMENT_MAGIC, place)
    return SegmentHeader(*_SEGMENT.unpack_from(block)[3:])


# Group


@dataclass(frozen=True, slots=True)
class RawGroup:
    """A group whose CRC32 is right, with where it stands. `data` is the segment it stands in."""

    data: bytes
    offset: int
    length: int
    count: int
    documents_length: int
    first_sequence: int
    epoch: int
    group_index: int
    chain_hash: bytes

    @property
    def end(self) -> int:
        return self.offset + self.length

    @property
    def last_sequence(self) -> int:
        return self.first_sequence + self.count - 1

    def links_to(self, previous_hash: bytes) -> bool:
        """Whether the chain hash continues `previous_hash`."""
        hasher = hashlib.sha256(previous_hash)
        hasher.update(memoryview(self.data)[self.offset : self.end - TRAILER_BYTES])
        return hasher.digest() == self.chain_hash

    def decode(self, from_sequence: int = 0, *, in_place: bool = False) -> Group:
        """The commands from `from_sequence` on: a copy, or in place a view of the segment that cannot be written."""
        start = self.offset + GROUP_HEADER_BYTES
        documents_start = start + self.count * COMMAND.itemsize
        data = memoryview(self.data)[start:documents_start]
        # As one run of bytes: numpy copies records field by field.
        records = np.frombuffer(data if in_place else bytearray(data), COMMAND)
        n_before = max(0, from_sequence - self.first_sequence)
        return Group(
            first_sequence=self.first_sequence + n_before,
            epoch=self.epoch,
            records=records[n_before:],
            documents=self.data[documents_start : documents_start + self.documents_length],
            chain_hash=self.chain_hash.hex(),
        )


def group_length(count: int, documents_length: int) -> int:
    """Bytes of a group in the file."""
    length = GROUP_HEADER_BYTES + count * COMMAND.itemsize + documents_length + TRAILER_BYTES
    return -(-length // ALIGNMENT) * ALIGNMENT


def chain_group(
    records: Records, documents: bytes, first_sequence: int, epoch: int, group_index: int, previous_hash: bytes
) -> bytes:  # fmt: skip
    """The chain hash that `encode_group` would give, without making the group."""
    length = group_length(len(records), len(documents))
    header = bytearray(GROUP_HEADER_BYTES)
    _GROUP.pack_into(header, 0, GROUP_MAGIC, length, len(records), len(documents), 0, first_sequence, epoch, group_index)
    hasher = hashlib.sha256(previous_hash)
    hasher.update(header)
    hasher.update(records.view(np.uint8).data)
    hasher.update(documents)
    hasher.update(bytes(length - TRAILER_BYTES - GROUP_HEADER_BYTES - records.nbytes - len(documents)))
    return hasher.digest()


def encode_group(
    records: Records, documents: bytes, first_sequence: int, epoch: int, group_index: int, previous_hash: bytes, seed: int
) -> tuple[bytearray, bytes]:
    """The group as it is written, and its chain hash. `records` is contiguous, dtype COMMAND. Raises ValueError when it is too long."""
    length = group_length(len(records), len(documents))
    if length > GROUP_BYTES_MAX:
        raise ValueError(f"a group of {length} bytes is longer than {GROUP_BYTES_MAX}")
    group = bytearray(length)
    _GROUP.pack_into(group, 0, GROUP_MAGIC, length, len(records), len(documents), 0, first_sequence, epoch, group_index)
    records_end = GROUP_HEADER_BYTES + records.nbytes
    group[GROUP_HEADER_BYTES:records_end] = records.tobytes()
    group[records_end : records_end + len(documents)] = documents
    with memoryview(group) as view:
        hasher = hashlib.sha256(previous_hash)
        hasher.update(view[: length - TRAILER_BYTES])
        chain_hash = hasher.digest()
        view[length - TRAILER_BYTES : length - _CRC.size] = chain_hash
        _CRC.pack_into(group, length - _CRC.size, zlib.crc32(view[: length - _CRC.size], seed))
    return group, chain_hash


def read_group(data: bytes, offset: int, seed: int) -> RawGroup | str:
    """The group at `offset` of a segment, or the reason why there is none. The chain is not checked here."""
    if len(data) - offset < GROUP_HEADER_BYTES + TRAILER_BYTES:
        return "the file ends inside a group"
    magic, length, count, documents_length, _, first_sequence, epoch, group_index = _GROUP.unpack_from(data, offset)
    if magic != GROUP_MAGIC:
        return "no group begins here"
    if not count or length != group_length(count, documents_length):
        return "the lengths of the group contradict each other"
    if length > len(data) - offset:
        return "the group is longer than the rest of the file"
    crc_offset = offset + length - _CRC.size
    if _CRC.unpack_from(data, crc_offset)[0] != zlib.crc32(memoryview(data)[offset:crc_offset], seed):
        return "the checksum of the group does not match"
    chain_hash = data[crc_offset - HASH_BYTES : crc_offset]
    return RawGroup(data, offset, length, count, documents_length, first_sequence, epoch, group_index, chain_hash)


def find_group(data: bytes, offset: int, seed: int) -> RawGroup | None:
    """The first whole group at or behind `offset`, or None."""
    while (offset := data.find(GROUP_MAGIC, offset)) >= 0:
        if offset % ALIGNMENT == 0:
            group = read_group(data, offset, seed)
            if isinstance(group, RawGroup):
                return group
        offset += 1
    return None
