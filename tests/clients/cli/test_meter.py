"""`parkex meter`: into the folder of an exchange that does not run and over REST into one that does, checked whole, repeated without harm."""

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clients.cli.keys_commands import Desk
from clients.cli.meter_command import INTERVALS_TEMPLATE, REGISTERS_TEMPLATE, MeterFile, run_meter_command
from clients.cli.meter_register import device_document, register_device
from exchange.clock import TurnClock
from exchange.errors import InputError
from exchange.gateway.validate import pack_command
from exchange.journal.record import COMMAND, CommandKind
from exchange.protocol.documents import Admit, Document, encode_document
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.replay import replay_directory
from exchange.service import ServiceOptions, start_exchange
from exchange.units import PERIOD_NS
from tests.exchange.gateway.parks import FACTORY, genesis, private_key
from tests.exchange.gateway.test_meters import GOOD, ready
from tests.exchange.gateway.test_websocket import serving
from tests.exchange.order_path.park import DAY_NS, OPEN_NS, OPERATOR

ACCOUNT = 33


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An exchange with a member and two devices, stopped; its operator's key beside it."""
    folder = tmp_path / "data"

    async def play() -> None:
        service = await start_exchange(ServiceOptions(journal_directory=folder / "journal", clock=TurnClock(OPEN_NS), genesis=genesis()))

        async def done(document: Document) -> None:
            record = np.frombuffer(bytearray(pack_command(CommandKind.DOCUMENT, OPERATOR, 0)), COMMAND)
            assert (await service.node.submit(record, encode_document(document))).outcome["code"] == 0

        await done(Admit(name="E01", role="enterprise", permissions=[]))
        for kind in ("load", "pv"):
            await done(RegisterDevice(account=ACCOUNT, name=kind, kind=kind, capacity_w=4_000_000, commissioned_ns=0))
        await service.stop()

    asyncio.run(play())
    write_key(folder / "operator.key", "operator")
    return folder


def write_key(path: Path, name: str) -> Path:
    path.write_text(base64.b64encode(private_key(name).private_bytes_raw()).decode() + "\n")
    return path


def csv(folder: Path, text: str = GOOD) -> Path:
    file = folder.parent / "july.csv"
    file.write_text(text)
    return file


def run(file: Path, data: Path, *, load: bool, revision: int = 1, version: str = "preliminary", zone: str = "", key: Path | None = None) -> None:
    run_meter_command(MeterFile(file, revision, version, zone, 8), data, "", key or data / "operator.key", "operator", None, load=load)


def consumption_wh(data: Path) -> list[int]:
    exchange, _ = replay_directory(data / "journal")
    return exchange.rooms.meters.read([ACCOUNT], [DAY_NS, DAY_NS + PERIOD_NS]).consumption_wh[0].tolist()


def test_a_file_is_checked_and_loaded_and_loaded_again(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = csv(data)
    run(file, data, load=False)
    assert capsys.readouterr().out == "july.csv: 3 readings of 1 devices, nothing refuses them, 0 findings flagged\n"
    assert consumption_wh(data) == [0, 0]
    run(file, data, load=True)
    assert capsys.readouterr().out.splitlines()[-1] == "loaded 3 in 1 documents, of which 0 replaced others; 0 were already there and passed over"
    assert consumption_wh(data) == [1_500, 2_000]
    run(file, data, load=True)
    assert capsys.readouterr().out.splitlines()[-1] == "loaded 0 in 1 documents, of which 0 replaced others; 3 were already there and passed over"
    exchange, _ = replay_directory(data / "journal")
    assert [entry.action for entry in exchange.rooms.audit.tail][-1] == "device_readings"


def test_parquet_is_loaded_too(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = {"device": ["load", "load"], "period_start": [DAY_NS, DAY_NS + PERIOD_NS], "import_wh": [5, 6], "export_wh": [0, 0]}
    file = data.parent / "july.parquet"
    pq.write_table(pa.table(columns), file)
    run(file, data, load=True)
    assert "loaded 2 in 1 documents" in capsys.readouterr().out
    assert consumption_wh(data) == [5, 6]


def test_what_is_flagged_is_told_and_taken(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(csv(data, GOOD + "load,2026-07-15 01:00,2,0\n"), data, load=True)
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "july.csv, line 5: gap: device 1 (load): 2 quarter-hours from 2026-07-15 00:30+08:00 are missing"
    assert "4 readings" in told[1]


REFUSED: list[tuple[str, Callable[[Path], object], str]] = [
    ("a bad line", lambda data: run(csv(data, GOOD + "load,2026-07-15 00:30,x,0\n"), data, load=True),
     "july.csv is refused, nothing was loaded\n  july.csv, line 5: number_malformed"),
    ("no file", lambda data: run(data / "none.csv", data, load=True), "there is no file"),
    ("no journal", lambda data: run(csv(data), data.parent, load=False), "there is no journal in"),
    ("no zone", lambda data: run(csv(data), data, load=True, zone="Mars/Base"), "unknown time zone 'Mars/Base'"),
    ("no key file", lambda data: run(csv(data), data, load=True, key=data / "none.key"), "cannot read the key"),
    ("no key in it", lambda data: run(csv(data), data, load=True, key=csv(data)), "holds no private key"),
    ("another's key", lambda data: run(csv(data), data, load=True, key=write_key(data / "x.key", "x")), "none of an operator"),
    ("no version", lambda data: run(csv(data), data, load=True, version="last"), "expected one of preliminary"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_keeps_a_file_out_is_told(data: Path, act: Callable[[Path], object], words: str) -> None:
    with pytest.raises(InputError) as refused:
        act(data)
    assert words in str(refused.value)
    assert consumption_wh(data) == [0, 0]


@pytest.mark.parametrize("text", [INTERVALS_TEMPLATE, REGISTERS_TEMPLATE])
def test_the_templates_can_be_read(data: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = text.replace("load1", "load").replace("pv2", "pv").replace("\n7,", "\n2,").replace("2026-07-14T16:00Z", "2026-07-14T16:30Z")
    run(csv(data, text), data, load=False)
    assert "nothing refuses them" in capsys.readouterr().out


async def test_a_running_exchange_takes_the_file_over_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, file = write_key(tmp_path / "operator.key", "operator"), tmp_path / "july.csv"
    file.write_text(GOOD)
    async with serving() as (park, url):
        await ready(park)

        def upload(text: str = GOOD, key_id: str = "operator", *, load: bool = True) -> None:
            file.write_text(text)
            run_meter_command(MeterFile(file, 1, "preliminary", "Asia/Shanghai", 8), None, url, key, key_id, None, load=load)

        await asyncio.to_thread(upload, load=False)
        assert park.node.exchange.rooms.meters.period_starts_ns() == []
        await asyncio.to_thread(upload)
        assert "loaded 3 in 1 documents" in capsys.readouterr().out
        assert park.node.exchange.rooms.meters.metered_accounts() == {FACTORY}
        with pytest.raises(InputError, match="line 5: unknown_meter"):
            await asyncio.to_thread(upload, GOOD + "x,2026-07-15 00:30,1,0\n")
        with pytest.raises(InputError, match="refuses the upload \\(401\\)"):
            await asyncio.to_thread(upload, key_id="nobody")
    with pytest.raises(InputError, match="cannot be reached"):
        await asyncio.to_thread(upload)


@pytest.mark.parametrize("url", ["ftp://park.example", "park.example", ""])
def test_an_address_that_is_none_is_told(tmp_path: Path, url: str) -> None:
    key, file = write_key(tmp_path / "operator.key", "operator"), tmp_path / "july.csv"
    file.write_text(GOOD)
    with pytest.raises(InputError, match="expected the exchange's address"):
        run_meter_command(MeterFile(file, 1, "preliminary", "", 8), None, url, key, "operator", None, load=True)


REGISTERED = ("pv2", "pv", "500.25", "2024-05-01T00:00+08:00", "gec", "roof")


async def test_a_device_is_registered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk_key = write_key(tmp_path / "operator.key", "operator")
    async with serving() as (park, url):
        await asyncio.to_thread(register_device, Desk(url, "operator", desk_key), FACTORY, *REGISTERED, ets_source=True)
        assert "device" in capsys.readouterr().out
        (device,) = park.node.exchange.rooms.devices.by_id.values()
        with pytest.raises(InputError, match="name_taken"):
            await asyncio.to_thread(register_device, Desk(url, "operator", desk_key), FACTORY, *REGISTERED, ets_source=True)
    assert (device.account, device.name, device.kind, device.capacity_w, device.scheme) == (FACTORY, "pv2", "pv", 500_250, "gec")
    assert (device.commissioned_ns, device.location, device.ets_source) == (1_714_492_800 * 10**9, "roof", True)


@pytest.mark.parametrize(("changes", "words"), [({"capacity_kw": "x"}, "--capacity-kw"), ({"commissioned": "2024"}, "a time with its zone")])
def test_what_cannot_be_read_of_a_device_is_told(changes: dict[str, str], words: str) -> None:
    fields = dict(zip(("name", "kind", "capacity_kw", "commissioned", "scheme", "location"), REGISTERED, strict=True)) | changes
    with pytest.raises(InputError, match=words):
        device_document(33, **fields, ets_source=False)
