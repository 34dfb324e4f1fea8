"""Every byte of what was committed counts: flipped, cut, swapped or missing, it is found and located; a torn tail is told apart."""

import os
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import CorruptionError, InputError, JournalShorterError
from exchange.journal.files import write_durably
from exchange.journal.format import (
    ALIGNMENT,
    FORMAT_VERSION,
    SEGMENT_HEADER_BYTES,
    crc_seed,
    encode_genesis,
    encode_group,
    genesis_hash,
    group_length,
)
from exchange.journal.head import SLOT_BYTES, encode_slot, read_head, replace_head
from exchange.journal.segments import JournalReader, SegmentJournal
from exchange.journal.verify import verify
from exchange.journal.walk import load_layout, segment_path
from tests.exchange.journal.builders import GENESIS, QuietFiles, build, commands, contents, fill

COUNTS = [1, 2, 1, 3, 2]
LAST = sum(COUNTS)
PLACE = re.compile(r"segment-(\d+), byte (\d+) \(group (\d+), sequences? (\d+)(?: to (\d+))?\)")


@contextmanager
def patched(path: Path, offset: int, data: bytes) -> Iterator[None]:
    with path.open("r+b", buffering=0) as file:
        old = os.pread(file.fileno(), len(data), offset)
        os.pwrite(file.fileno(), data, offset)
        try:
            yield
        finally:
            os.pwrite(file.fileno(), old, offset)


def group_places(directory: Path) -> list[tuple[Path, int, int, int, int]]:
    """(segment, offset, length, first sequence, last sequence) of each group, by arithmetic of the test's own."""
    places, sequence = [], 1
    layout = load_layout(directory)
    offsets = {segment.path: SEGMENT_HEADER_BYTES for segment in layout.segments}
    for group in JournalReader.open(directory).groups():
        n = len(group.records)
        path = max((s for s in layout.segments if s.header.first_sequence <= sequence), key=lambda s: s.header.segment_index).path
        length = group_length(n, len(group.documents))
        places.append((path, offsets[path], length, sequence, sequence + n - 1))
        offsets[path] += length
        sequence += n
    return places


def committed_bytes(directory: Path) -> list[tuple[Path, int]]:
    spots = [(directory / name, i) for name in ("genesis", "head") for i in range((directory / name).stat().st_size)]
    spots += [(segment.path, i) for segment in load_layout(directory).segments for i in range(SEGMENT_HEADER_BYTES)]
    spots += [(path, offset + i) for path, offset, length, _, _ in group_places(directory) for i in range(length)]
    return spots


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_a_flip_of_any_committed_byte_is_found_after_a_clean_close(tmp_path: Path, mask: int) -> None:
    build(tmp_path, COUNTS, segment_bytes=1_420)
    whole = contents(JournalReader.open(tmp_path))
    spots = committed_bytes(tmp_path)
    assert len({path for path, _ in spots}) >= 4
    for path, offset in spots[mask % 3 :: 3]:
        byte = path.read_bytes()[offset]
        with patched(path, offset, bytes([byte ^ mask])), pytest.raises(CorruptionError):
            JournalReader.open(tmp_path)
    assert contents(JournalReader.open(tmp_path)) == whole


def test_a_flip_of_any_byte_of_a_group_is_found_and_located_after_a_kill(tmp_path: Path) -> None:
    build(tmp_path, COUNTS, segment_bytes=1_420, close=False)
    for index, (path, start, length, first, last) in enumerate(group_places(tmp_path), 1):
        for offset in range(start, start + length, 7):
            with patched(path, offset, bytes([path.read_bytes()[offset] ^ 0x10])), pytest.raises(CorruptionError) as caught:
                verify(tmp_path)
            place = PLACE.search(str(caught.value))
            assert place, caught.value
            assert path.name == f"segment-{place[1]}"
            assert (int(place[2]), int(place[3]), int(place[4]), int(place[5] or place[4])) == (start, index, first, last)


def test_damage_is_refused_by_the_writer_too_and_changes_nothing(tmp_path: Path) -> None:
    build(tmp_path, COUNTS)
    path, offset, *_ = group_places(tmp_path)[2]
    with patched(path, offset + 100, b"\xaa"):
        before = {file: file.read_bytes() for file in tmp_path.iterdir() if file.name != "lock"}
        with pytest.raises(CorruptionError, match="group 3"):
            SegmentJournal.open(tmp_path, GENESIS)
        assert before == {file: file.read_bytes() for file in tmp_path.iterdir() if file.name != "lock"}


def test_a_group_cut_away_at_any_byte_is_missed(tmp_path: Path) -> None:
    build(tmp_path, [1, 2], segment_bytes=4_096)
    path, start, length, *_ = group_places(tmp_path)[-1]
    whole = path.read_bytes()
    for size in range(start, start + length):
        path.write_bytes(whole[:size])
        with pytest.raises(CorruptionError) as caught:
            JournalReader.open(tmp_path)
        assert isinstance(caught.value, JournalShorterError) == (not whole[start:size])
        path.write_bytes(whole[:size] + bytes(len(whole) - size))
        with pytest.raises(CorruptionError):
            JournalReader.open(tmp_path)


def test_an_unfinished_group_of_any_length_is_cut_and_reported(tmp_path: Path) -> None:
    """The head file knows nothing of the last group, as when the process was killed inside the write."""
    build(tmp_path, [1, 2], segment_bytes=4_096, close=False)
    head = (tmp_path / "head").read_bytes()
    journal = build(tmp_path, [3], segment_bytes=4_096, close=False)
    path, start, length, *_ = group_places(tmp_path)[-1]
    unfinished_head = encode_slot(_with_epoch(read_head_of(tmp_path, head), journal.epoch)) * 2
    whole = path.read_bytes()
    for size in range(start + 1, start + length, 5):
        (tmp_path / "head").write_bytes(unfinished_head)
        for rest in (b"", bytes(len(whole) - size)):
            path.write_bytes(whole[:size] + rest)
            assert JournalReader.open(tmp_path).head.sequence == 3
            torn = JournalReader.open(tmp_path).torn_tail
            if not whole[start:size].strip(b"\0"):
                assert torn is None
                continue
            assert torn is not None
            assert (torn.segment, torn.offset, torn.n_bytes) == (path.name, start, len(whole[start:size].rstrip(b"\0")))
    opened = SegmentJournal.open(tmp_path)
    assert opened.torn_tail is not None
    opened.close()
    assert path.read_bytes() == whole[:start] + bytes(4_096 - start)
    assert verify(tmp_path).torn_tail is None


def read_head_of(directory: Path, data: bytes):
    (directory / "head.test").write_bytes(data)
    state = read_head(directory / "head.test", genesis_hash(encode_genesis(GENESIS)))
    (directory / "head.test").unlink()
    return state


def _with_epoch(state, epoch: int):
    return replace(state, epoch=epoch, clean=0)


def test_a_whole_group_behind_a_damaged_one_is_corruption_even_if_the_head_file_lags(tmp_path: Path) -> None:
    build(tmp_path, [1], segment_bytes=8_192, close=False)
    state = read_head(tmp_path / "head", genesis_hash(encode_genesis(GENESIS)))
    build(tmp_path, [2, 1], segment_bytes=8_192, close=False)
    replace_head(QuietFiles(), tmp_path / "head", _with_epoch(state, 2))
    assert JournalReader.open(tmp_path).head.sequence == 4
    path, start, _, first, last = group_places(tmp_path)[1]
    with patched(path, start + 90, b"\x99"), pytest.raises(CorruptionError, match=f"group 2, sequences {first} to {last}"):
        JournalReader.open(tmp_path)


def test_a_group_inside_a_document_of_an_unfinished_group_is_no_group(tmp_path: Path) -> None:
    """A client that sends the bytes of a group cannot make a torn tail look like corruption: it does not know the genesis."""
    foreign, _ = encode_group(commands(1), b"", 9, 1, 9, b"\1" * 32, crc_seed(b"guess"))
    build(tmp_path, [1], segment_bytes=8_192, close=False)
    state = read_head(tmp_path / "head", genesis_hash(encode_genesis(GENESIS)))
    journal = SegmentJournal.open(tmp_path, files=QuietFiles())
    journal.append(commands(1), bytes(foreign) * 3)
    journal.close()
    path, start, length, *_ = group_places(tmp_path)[1]
    path.write_bytes(path.read_bytes()[: start + length - ALIGNMENT])
    replace_head(QuietFiles(), tmp_path / "head", _with_epoch(state, 2))
    torn = JournalReader.open(tmp_path).torn_tail
    assert torn is not None
    assert torn.offset == start


def test_bytes_behind_the_last_group(tmp_path: Path) -> None:
    """In the last segment they are a torn tail, in another one damage."""
    build(tmp_path, COUNTS, segment_bytes=1_420)
    last = load_layout(tmp_path).segments[-1].path
    with patched(last, 1_419, b"\1"):
        torn = JournalReader.open(tmp_path).torn_tail
        assert torn is not None
        assert torn.segment == last.name
    places = [place for place in group_places(tmp_path) if place[0].name == "segment-00000001"]
    end = places[-1][1] + places[-1][2]
    with patched(segment_path(tmp_path, 1), end + 3, b"\1"), pytest.raises(CorruptionError, match=f"segment-00000001, byte {end}: bytes behind"):
        JournalReader.open(tmp_path)


def _swap_groups(directory: Path) -> None:
    places = group_places(directory)
    (path, a, length, *_), (other, b, other_length, *_) = places[0], places[2]
    assert (path, length) == (other, other_length)
    data = bytearray(path.read_bytes())
    data[a : a + length], data[b : b + length] = data[b : b + length], data[a : a + length]
    path.write_bytes(data)


def _rewrite_last_group(directory: Path) -> None:
    """A last group with a right checksum that does not continue the chain."""
    path, start, _length, first, last = group_places(directory)[-1]
    layout = load_layout(directory)
    group, _ = encode_group(commands(last - first + 1), b"", first, 1, len(COUNTS), b"\2" * 32, crc_seed(layout.genesis_hash))
    data = path.read_bytes()
    path.write_bytes(data[:start] + bytes(group) + data[start + len(group) :])


def _replace(directory: Path, name: str, other: str) -> None:
    shutil.copy(directory / other, directory / name)


def _from_another_journal(directory: Path, name: str) -> None:
    other = directory.parent / "other"
    journal = SegmentJournal.open(other, type(GENESIS)(park_id="park-zz", hash_key=b"x", engine_version="0"), segment_bytes=1_420)
    fill(journal, COUNTS)
    journal.close()
    shutil.copy(other / name, directory / name)


def _age_head(directory: Path) -> None:
    layout = load_layout(directory)
    replace_head(QuietFiles(), directory / "head", replace(layout.head, epoch=0))


TAMPERING = {
    "head missing": (lambda d: (d / "head").unlink(), "head is missing"),
    "genesis missing": (lambda d: (d / "genesis").unlink(), "genesis is missing"),
    "all segments missing": (lambda d: [p.unlink() for p in d.glob("segment-*")], "all segments are missing"),
    "a segment missing inside": (lambda d: (d / "segment-00000002").unlink(), "a segment is missing between"),
    "last segment missing": (lambda d: (d / "segment-00000003").unlink(), "ends at sequence"),
    "segment renamed": (lambda d: _replace(d, "segment-00000002", "segment-00000001"), "it was renamed"),
    "segment of another journal": (lambda d: _from_another_journal(d, "segment-00000002"), "belongs to another journal"),
    "head of another journal": (lambda d: _from_another_journal(d, "head"), "belongs to another journal"),
    "genesis of another journal": (lambda d: _from_another_journal(d, "genesis"), "belongs to another journal"),
    "groups swapped": (_swap_groups, "it is numbered group 3"),
    "last group rewritten": (_rewrite_last_group, "does not continue the group before"),
    "empty genesis": (lambda d: (d / "genesis").write_bytes(b""), "only 0 bytes"),
    "empty head": (lambda d: (d / "head").write_bytes(b""), "only 0 bytes"),
    "long head": (lambda d: (d / "head").write_bytes((d / "head").read_bytes() + b"\0"), "1025 bytes"),
    "empty segment": (lambda d: (d / "segment-00000002").write_bytes(b""), "segment-00000002, segment header: only 0 bytes"),
    "head of an older epoch": (_age_head, "is of epoch 0"),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_is_corruption(tmp_path: Path, name: str) -> None:
    directory = tmp_path / "journal"
    tamper, message = TAMPERING[name]
    build(directory, COUNTS, segment_bytes=1_420)
    assert len(load_layout(directory).segments) == 3
    tamper(directory)
    for opening in (lambda: JournalReader.open(directory), lambda: SegmentJournal.open(directory), lambda: SegmentJournal.open(directory, GENESIS)):
        with pytest.raises(CorruptionError, match=message):
            opening()


@pytest.mark.parametrize("name", ["genesis", "head", "segment-00000001"])
def test_an_unknown_format_version_is_refused(tmp_path: Path, name: str) -> None:
    build(tmp_path, COUNTS)
    block_bytes = {"genesis": None, "head": SLOT_BYTES, "segment-00000001": SEGMENT_HEADER_BYTES}[name]
    data = (tmp_path / name).read_bytes()
    block = bytearray(data[:block_bytes])
    block[8:12] = (FORMAT_VERSION + 1).to_bytes(4, "little")
    block[-4:] = zlib.crc32(block[:-4]).to_bytes(4, "little")
    write_durably(QuietFiles(), tmp_path / name, [bytes(block), data[len(block) :]])
    with pytest.raises(InputError, match="format version 2 is unknown"):
        JournalReader.open(tmp_path)


def test_one_half_written_slot_of_the_head_file_is_survived_when_the_process_was_killed(tmp_path: Path) -> None:
    build(tmp_path, COUNTS, close=False)
    for slot in range(2):
        with patched(tmp_path / "head", slot * SLOT_BYTES + 50, b"\xff" * 8):
            assert JournalReader.open(tmp_path).head.sequence == LAST
    (tmp_path / "head").write_bytes(bytes(2 * SLOT_BYTES))
    with pytest.raises(CorruptionError, match="head, byte"):
        JournalReader.open(tmp_path)


def test_known_heads(tmp_path: Path) -> None:
    build(tmp_path, COUNTS)
    reader = JournalReader.open(tmp_path)
    for sequence in (0, 1, 3, 4, 7, 9):
        assert verify(tmp_path, reader.chain_hash_at(sequence)).known_head_sequence == sequence
    report = verify(tmp_path)
    assert (report.park_id, report.groups, report.records, report.head, report.closed_clean) == ("park-zz", 5, 9, reader.head, True)
    assert report.known_head_sequence is None
    with pytest.raises(CorruptionError, match="is not in this journal"):
        verify(tmp_path, "00" * 32)
    for text in ("", "xyz", "00" * 31, "0" * 63):
        with pytest.raises(InputError, match="64 hex digits"):
            verify(tmp_path, text)
