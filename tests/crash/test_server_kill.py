"""kill -9 of the server with orders in flight: what was acknowledged is there exactly once, and clients resume by themselves.

The campaign at length is `python -m bench.crash`. That its auditor sees what is wrong is shown here by telling it things that did not happen.
"""

import asyncio
import copy
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.crash.__main__ import main, run_campaign
from bench.crash.auditor import Auditor
from bench.crash.campaign import Figures, Park, free_port
from bench.crash.market import MEMBERS, SYMBOLS, key_of, open_market
from clients.sdk.client import ParkClient, connect
from clients.sdk.errors import OrderRejected
from exchange.errors import ParkexError

KILLS = 5


class Evidence:
    """A finished park and an auditor that knows its journal."""

    def __init__(self, directory: Path, figures: Figures) -> None:
        self.figures = figures
        self.told = msgspec.msgpack.decode((directory / "told.msgpack").read_bytes())
        self.auditor = Auditor(directory / "journal")
        self.auditor.fold(self.told["sequence"])


@pytest.fixture(scope="module", name="evidence")
def fixture_evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    directory = tmp_path_factory.mktemp("park")
    return Evidence(directory, asyncio.run(Park(directory, seed=3, read_model=True).run(KILLS)))


def test_no_acknowledged_command_is_lost_or_doubled(evidence: Evidence) -> None:
    figures = evidence.figures
    assert (figures.complaints, figures.lost, figures.doubled, figures.hash_mismatches) == ([], 0, 0, 0)
    assert figures.kills == KILLS
    assert figures.kills_in_flight >= KILLS * 3 // 4
    assert figures.hashes_compared == KILLS - figures.kills_while_starting
    # The kills cut commands that had been carried out, and what was sent again was recognised.
    assert figures.duplicates_told > figures.sent_twice > 0
    assert figures.acknowledged > figures.refused > 0
    assert figures.trades > 0
    kinds = {keys[0].split("-")[0] for member in evidence.told["members"].values() for keys, _ in member["commands"]}
    assert kinds == set(MEMBERS)
    assert any(len(keys) == 2 for member in evidence.told["members"].values() for keys, _ in member["commands"])


def test_the_auditor_agrees_with_what_happened(evidence: Evidence) -> None:
    assert evidence.auditor.audit(evidence.told["members"]) | {"trades": 0} == {"lost": 0, "doubled": 0, "complaints": [], "trades": 0}


Member = dict[str, Any]


def other_status(member: Member) -> None:
    answer = next(answers[0] for _, answers in member["commands"] if "status" in answers[0])
    answer["filled"] = answer["filled"] + "1"


def accepted_for_refused(member: Member) -> None:
    answer = next(answers[0] for _, answers in member["commands"] if "code" in answers[0])
    answer["code"] += 1


def other_place(member: Member) -> None:
    member["commands"][0][1][0]["sequence"] += 1


def never_recorded(member: Member) -> None:
    member["commands"].append([["M-never"], member["commands"][0][1]])


def never_sent(member: Member) -> None:
    del member["commands"][5]


def missed_execution(member: Member) -> None:
    del member["executions"][7]


def doubled_execution(member: Member) -> None:
    member["executions"].insert(7, member["executions"][6])


def other_balance(member: Member) -> None:
    member["state"]["balances"]["balance_micro"] += 1


def other_orders(member: Member) -> None:
    member["state"]["orders"]["orders"].append({})


WRONG: list[tuple[Callable[[Member], None], int, int]] = [
    (other_status, 1, 0), (accepted_for_refused, 1, 0), (other_place, 1, 0), (never_recorded, 1, 0), (never_sent, 0, 1), (missed_execution, 0, 0),
    (doubled_execution, 0, 0), (other_balance, 0, 0), (other_orders, 0, 0),
]  # fmt: skip


@pytest.mark.parametrize(("change", "lost", "doubled"), WRONG, ids=[row[0].__name__ for row in WRONG])
def test_the_auditor_sees(evidence: Evidence, change: Callable[[Member], None], lost: int, doubled: int) -> None:
    members = copy.deepcopy(evidence.told["members"])
    change(next(iter(members.values())))
    found = evidence.auditor.audit(members)
    assert (found["lost"], found["doubled"], len(found["complaints"])) == (lost, doubled, 1)


def test_a_node_ahead_of_the_journal_is_seen(evidence: Evidence) -> None:
    with pytest.raises(ParkexError, match="the journal ends at"):
        evidence.auditor.fold(10**9)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A sound campaign leaves nothing and ends with 0; one that is not, or whose kills met nothing, ends with 1, and a park that failed is kept."""
    recorded: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr("bench.crash.__main__.append_result", lambda *line: recorded.append(line))
    monkeypatch.setattr(sys, "argv", ["bench.crash", "--kills", "150", "--seed", "5", "--json", "--directory", str(tmp_path)])
    cases: list[tuple[dict[str, int], int, int, int]] = [
        # what each park comes to, exit code, kills in all, parks kept
        ({"kills_in_flight": 80}, 0, 150, 0),
        ({}, 1, 150, 0),
        ({"kills_in_flight": 100, "lost": 1}, 1, 100, 1),
    ]
    for figures, exit_code, kills, kept in cases:

        async def run(self: Park, kills: int, figures: dict[str, int] = figures) -> Figures:
            return Figures(kills=kills, recovery_ms=[1.0], **{name: min(count, kills) for name, count in figures.items()})

        monkeypatch.setattr(Park, "run", run)
        with pytest.raises(SystemExit) as ended:
            main()
        printed = json.loads(capsys.readouterr().out)
        assert (ended.value.code, printed["kills"], len(list(tmp_path.iterdir()))) == (exit_code, kills, kept)
        assert recorded[-1][1]["lost"] == printed["lost"] == figures.get("lost", 0)


@pytest.mark.soak
def test_a_thousand_kills(tmp_path: Path) -> None:
    figures = run_campaign(1000, 7, tmp_path, read_model=True)
    assert figures.sound, figures.complaints
    assert figures.kills_in_flight >= 750


# The SDK through kills


class Server:
    """The server of the campaign, told by hand."""

    def __init__(self, directory: Path, port: int) -> None:
        command = [sys.executable, "-m", "bench.crash.server", str(directory), str(port), "--read-model"]
        self._parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._life = 0
        self._hear("warm")

    def _tell(self, word: str) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.write(word + "\n")
        self._parent.stdin.flush()

    def _hear(self, word: str) -> Any:
        assert self._parent.stdout is not None
        for line in self._parent.stdout:
            said = json.loads(line)
            if word in said:
                return said[word]
        raise AssertionError("the server ended")

    def start(self) -> str:
        self._tell("start")
        self._life = self._hear("forked")
        return str(self._hear("ready")).replace("http", "ws")

    def end(self, signal_number: int) -> None:
        os.kill(self._life, signal_number)
        self._tell("reap")
        self._hear("ended")

    def close(self) -> None:
        for pipe in (self._parent.stdin, self._parent.stdout):
            assert pipe is not None
            pipe.close()
        self._parent.wait(60)


class SdkTrader:
    """Keeps a few orders unanswered through the SDK until told to stop, and remembers what it was told."""

    def __init__(self, park: ParkClient, seed: int) -> None:
        self._park = park
        self._random = random.Random(seed)
        self.acknowledged: dict[str, int] = {}
        self.stopping = False

    async def trade(self) -> None:
        await asyncio.gather(*(self._place_in_turn() for _ in range(6)))

    async def _place_in_turn(self) -> None:
        while not self.stopping:
            key = self._park.new_client_order_id()
            price, side = f"0.{self._random.randint(3900, 4100)}", self._random.choice(("buy", "sell"))
            try:
                order = await self._park.place(self._random.choice(SYMBOLS), side, price=price, quantity="5.0", client_order_id=key)  # type: ignore[arg-type]
                self.acknowledged[key] = order.order_id
            except OrderRejected:
                pass  # with its own order on the other side


async def test_sdk_clients_resume_by_themselves(tmp_path: Path) -> None:
    server = await asyncio.to_thread(Server, tmp_path, free_port())
    try:
        url = await asyncio.to_thread(server.start)
        accounts = await open_market(url, time.time_ns())
        async with (
            connect(url, key_id="M01", private_key=key_of("M01"), resume_for_s=60) as first,
            connect(url, key_id="M03", private_key=key_of("M03"), resume_for_s=60) as second,
        ):
            traders = [SdkTrader(first, 1), SdkTrader(second, 2)]
            running = [asyncio.create_task(trader.trade()) for trader in traders]
            for _ in range(3):
                before = [len(trader.acknowledged) for trader in traders]
                while any(len(trader.acknowledged) < count + 10 for trader, count in zip(traders, before, strict=True)):  # noqa: ASYNC110 - no one event
                    await asyncio.sleep(0.005)
                await asyncio.to_thread(server.end, signal.SIGKILL)
                await asyncio.to_thread(server.start)
            for trader in traders:
                trader.stopping = True
            await asyncio.gather(*running)
        await asyncio.to_thread(server.end, signal.SIGTERM)
    finally:
        await asyncio.to_thread(server.close)
    auditor = Auditor(tmp_path / "journal")
    auditor.fold_rest()
    for name, trader in zip(("M01", "M03"), traders, strict=True):
        for key, order_id in trader.acknowledged.items():
            assert auditor.outcome(accounts[name], key)["order_id"] == order_id
    assert auditor.executed_more_than_once() == []
    assert auditor.read_model_problem(tmp_path / "readmodel.sqlite") == []
    with sqlite3.connect(tmp_path / "readmodel.sqlite") as database:
        database.execute("delete from trades where rowid = 1")
    database.close()
    assert auditor.read_model_problem(tmp_path / "readmodel.sqlite") != []
