"""The security log: its chain, its rotation, its bounds, and what a crash or a hand leaves of it."""

from pathlib import Path

import msgspec
import pytest

from exchange.errors import CheckFailedError
from exchange.gateway.security_log import LINES, SecurityLog, log_files, read_log


def written(directory: Path, lines: int = 10, **options: int) -> SecurityLog:
    log = SecurityLog(directory, **options)
    for i in range(lines):
        log.write("logon_refused", 1_000 + i, float(i), key_id=f"k{i}", address="203.0.113.9", code=5005)
    return log


def test_what_a_line_says(tmp_path: Path) -> None:
    written(tmp_path).close()
    lines = list(read_log(tmp_path))
    assert [line["number"] for line in lines] == [*range(1, 11)]
    facts = {name: lines[3][name] for name in ("event", "at_ns", "key_id", "address", "code")}
    assert facts == {"event": "logon_refused", "at_ns": 1_003, "key_id": "k3", "address": "203.0.113.9", "code": 5005}
    assert log_files(tmp_path)[0].stat().st_mode & 0o777 == 0o600


def test_it_goes_on_behind_its_last_line(tmp_path: Path) -> None:
    written(tmp_path).close()
    written(tmp_path, 3).close()
    assert [line["number"] for line in read_log(tmp_path)] == [*range(1, 14)]


def test_files_rotate_and_the_oldest_go(tmp_path: Path) -> None:
    written(tmp_path, 200, file_bytes=2_000, files=3).close()
    files = log_files(tmp_path)
    assert len(files) == 3
    assert all(path.stat().st_size <= 2_000 for path in files)
    numbers = [line["number"] for line in read_log(tmp_path)]
    assert numbers == [*range(numbers[0], 201)]
    assert numbers[0] > 1
    written(tmp_path, 1, file_bytes=2_000, files=3).close()
    assert [line["number"] for line in read_log(tmp_path)][-1] == 201


@pytest.mark.parametrize("hand", ["altered", "removed", "moved"])
def test_a_hand_is_seen(tmp_path: Path, hand: str) -> None:
    written(tmp_path).close()
    path = log_files(tmp_path)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    if hand == "altered":
        lines[4] = lines[4].replace(b"203.0.113.9", b"203.0.113.8")
    elif hand == "removed":
        del lines[4]
    else:
        lines[4], lines[5] = lines[5], lines[4]
    path.write_bytes(b"".join(lines))
    with pytest.raises(CheckFailedError, match="broken"):
        list(read_log(tmp_path))


def test_a_line_that_a_crash_cut_off_is_left_out(tmp_path: Path) -> None:
    written(tmp_path).close()
    path = log_files(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:-20])
    written(tmp_path, 2).close()
    assert [line["number"] for line in read_log(tmp_path)] == [*range(1, 12)]


def test_a_flood_is_counted_and_not_written(tmp_path: Path) -> None:
    log = SecurityLog(tmp_path)
    for _ in range(5_000):
        log.write("logon_refused", 1, 0.0)
    log.write("logon", 2, 1.0)
    log.close()
    lines = list(read_log(tmp_path))
    assert (len(lines), lines[-1]["suppressed"]) == (int(LINES.burst) + 1, 5_000 - int(LINES.burst))


def test_a_full_disk_does_not_stop_the_exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = SecurityLog(tmp_path)
    log.write("logon", 1, 0.0)
    with monkeypatch.context() as patch:
        patch.setattr("exchange.gateway.security_log.os.write", _full)
        log.write("logon", 2, 0.0)
    log.write("logon", 3, 0.0)
    log.close()
    lines = list(read_log(tmp_path))
    assert [(line["at_ns"], line.get("suppressed")) for line in lines] == [(1, None), (3, 1)]
    assert msgspec.json.decode(log_files(tmp_path)[0].read_bytes().splitlines()[0])["previous"] == "0" * 64


def _full(*_: object) -> int:
    raise OSError(28, "No space left on device")
