"""The format is fixed: its bytes, and the tables of docs/architecture-journal.md against them."""

import hashlib
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.journal.format import (
    RawGroup,
    SegmentHeader,
    chain_group,
    crc_seed,
    decode_genesis,
    decode_segment_header,
    encode_genesis,
    encode_group,
    encode_segment_header,
    find_group,
    genesis_hash,
    group_length,
    read_group,
)
from exchange.journal.head import HeadState, decode_slot, encode_slot
from exchange.journal.record import COMMAND
from exchange.journal.snapshots import write_snapshot
from tests.exchange.journal.builders import GENESIS, QuietFiles, commands

PAGE = (Path(__file__).parents[3] / "docs" / "architecture-journal.md").read_text("utf-8")
HEADER = SegmentHeader(2, 30, 4, 4_096, 5, b"\1" * 32, b"\2" * 32)
SLOT = HeadState(1, 7, 5, 33, 4, 2, 640, b"\3" * 32, b"\1" * 32)
GROUP, CHAIN_HASH = encode_group(commands(2, 3), b"document", 30, 5, 4, b"\2" * 32, 99)


def documented(section: str) -> dict[str, tuple[int, int]]:
    """Field of a table of the page: (offset, bytes), where both are plain numbers."""
    body = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (.+?) \|$", body, re.MULTILINE)
    return {f"zero at {offset}" if field == "zero" else field: (int(offset), int(size)) for offset, size, field in rows}


def number(block: bytes, place: tuple[int, int]) -> int:
    return int.from_bytes(block[place[0] : place[0] + place[1]], "little")


def check_table(section: str, block: bytes, numbers: dict[str, int]) -> dict[str, bytes]:
    """Every field of the table has the number given for it; what is none comes back as bytes. The table has no holes."""
    table = documented(section)
    assert [offset for offset, _ in table.values()] == [sum(size for _, size in [*table.values()][:i]) for i in range(len(table))]
    assert all(number(block, place) == 0 for field, place in table.items() if field.startswith("zero"))
    for field, expected in numbers.items():
        assert number(block, table[next(name for name in table if name.startswith(field))]) == expected, field
    return {field: bytes(block[offset : offset + size]) for field, (offset, size) in table.items()}


def test_segment_header_is_as_documented() -> None:
    block = encode_segment_header(HEADER)
    numbers = {
        "format version": 1, "length": 256, "segment index": 2, "first sequence": 30, "first group": 4, "size": 4_096, "epoch": 5,
        "CRC32": zlib.crc32(block[:-4]),
    }  # fmt: skip
    fields = check_table("Segment", block, numbers)
    assert fields["hash of the genesis file"] == b"\1" * 32
    assert next(value for name, value in fields.items() if name.startswith("chain hash")) == b"\2" * 32
    assert len(block) == sum(map(len, fields.values()))
    assert decode_segment_header(block + b"more", "here") == HEADER


def test_head_slot_is_as_documented() -> None:
    block = encode_slot(SLOT)
    numbers = {
        "format version": 1, "length": 512, "1 after a clean close": 1, "generation": 7, "epoch": 5, "last sequence": 33, "last group": 4,
        "segment index": 2, "where": 640, "CRC32": zlib.crc32(block[:-4]),
    }  # fmt: skip
    fields = check_table("Head", block, numbers)
    assert (fields["chain hash"], fields["hash of the genesis file"]) == (b"\3" * 32, b"\1" * 32)
    assert len(block) == sum(map(len, fields.values()))
    assert decode_slot(block, "here") == SLOT


def test_group_is_as_documented() -> None:
    numbers = {
        "length of the group": 512,
        "number of records": 2,
        "length of the documents": 8,
        "first sequence": 30,
        "epoch": 5,
        "number of the group": 4,
    }
    check_table("Group", GROUP, numbers)
    assert GROUP[64:448] == commands(2, 3).tobytes()
    assert GROUP[448:456] == b"document"
    assert GROUP[456:476] == bytes(20)
    assert GROUP[-36:-4] == CHAIN_HASH == hashlib.sha256(b"\2" * 32 + GROUP[:-36]).digest()
    assert GROUP[-4:] == zlib.crc32(GROUP[:-4], 99).to_bytes(4, "little")


@pytest.mark.parametrize("section", ["Genesis", "Segment", "Group", "Head", "Snapshots"])
def test_magic_bytes_are_as_documented(tmp_path: Path, section: str) -> None:
    snapshot = write_snapshot(tmp_path, 1, "", b"", b"", files=QuietFiles())
    starts = {
        "Genesis": encode_genesis(GENESIS), "Segment": encode_segment_header(HEADER), "Group": GROUP, "Head": encode_slot(SLOT),
        "Snapshots": snapshot.read_bytes(),
    }  # fmt: skip
    field = next(iter(documented(section)))
    assert starts[section][:8] == bytes.fromhex(re.findall(r"`(.+)`", field)[0])


def test_names_of_the_maps_are_as_documented(tmp_path: Path) -> None:
    snapshot = write_snapshot(tmp_path, 1, "", b"", b"", files=QuietFiles()).read_bytes()
    for section, block in (("Genesis", encode_genesis(GENESIS)), ("Snapshots", snapshot)):
        row = next(line for line in PAGE.split(f"\n## {section}\n")[1].splitlines() if "MessagePack map" in line)
        names = re.findall(r"`(\w+)`", row)
        places = [block.find(name.encode()) for name in names]
        assert places == sorted(places)
        assert places[0] > 0


def test_the_bytes_never_change() -> None:
    """Golden: journals of all releases stay readable. A failure here means a new format version, not a new number."""
    assert hashlib.sha256(encode_genesis(GENESIS)).hexdigest() == "bb56d4f5ca1adcecd3c7e619b3373166766a38f39f8879f2bc32a0214b5cdaa8"
    assert hashlib.sha256(encode_segment_header(HEADER)).hexdigest() == "bcbd14595522bf2771ac8dd495bd499b3c593396a68b0dc04234713620164d74"
    assert hashlib.sha256(GROUP).hexdigest() == "3ef8fd4d618d4ae5c68e37f14f4a568138d71c17c6cfce21bd228c827853fb14"
    assert hashlib.sha256(encode_slot(SLOT)).hexdigest() == "fad29b85e33b39f3fcd8564a8765be5e624eb88fe53470c9bef7085c24531d31"


def test_genesis_round_trip() -> None:
    assert decode_genesis(encode_genesis(GENESIS)) == GENESIS
    assert genesis_hash(encode_genesis(GENESIS)) == hashlib.sha256(encode_genesis(GENESIS)).digest()


@given(st.integers(1, 6), st.binary(max_size=200), st.integers(0, 5), st.binary(max_size=100))
def test_a_group_is_found_behind_anything(count: int, documents: bytes, blocks_before: int, behind: bytes) -> None:
    seed = crc_seed(b"any")
    group, chain_hash = encode_group(commands(count), documents, 9, 1, 3, b"\0" * 32, seed)
    assert len(group) == group_length(count, len(documents))
    assert len(group) % 64 == 0
    data = b"\x89PKXGRP\n" * (8 * blocks_before) + bytes(group) + behind
    found = find_group(data, 0, seed)
    assert found is not None
    assert (found.offset, found.count, found.last_sequence, found.chain_hash) == (64 * blocks_before, count, 8 + count, chain_hash)
    assert found.links_to(b"\0" * 32)
    assert not found.links_to(b"\1" * 32)
    assert found.decode().documents == documents
    for in_place in (False, True):
        view = found.decode(in_place=in_place).records
        assert view.tobytes() == bytes(group)[64 : 64 + COMMAND.itemsize * count]
        assert view.flags.writeable != in_place
    assert isinstance(read_group(data, found.offset, seed), RawGroup)
    assert isinstance(read_group(data, found.offset, seed + 1), str)
    assert find_group(data, found.offset + 1, seed) is None


def test_a_group_longer_than_a_gibibyte_is_refused() -> None:
    class Long(bytes):
        def __len__(self) -> int:
            return 1 << 30

    with pytest.raises(ValueError, match="longer than"):
        encode_group(commands(1), Long(), 1, 1, 1, b"\0" * 32, 0)


@given(st.integers(1, 5), st.binary(max_size=200), st.integers(1, 2**40))
def test_a_digest_is_the_chain_hash_of_the_group_that_is_not_made(count: int, documents: bytes, first_sequence: int) -> None:
    records = np.frombuffer(bytes(range(192)) * count, COMMAND)
    _, chain_hash = encode_group(records, documents, first_sequence, 1, 3, bytes(32), 7)
    assert chain_group(records, documents, first_sequence, 1, 3, bytes(32)) == chain_hash
