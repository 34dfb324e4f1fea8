"""A small day from bytes to statements, in real processes: what it must hold, and what it leaves behind."""

import asyncio
import io
import json
import re
import sys
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from clients.sdk import connect
from clients.simulator.demo import Demo, DemoOptions, first_periods, run_demo
from clients.simulator.journal_counts import replay_and_count
from clients.simulator.output import open_output
from clients.simulator.progress import Progress
from exchange.errors import CorruptionError, InputError
from exchange.journal.segments import JournalReader
from exchange.journal.verify import verify
from tests.clients.simulator.small_park import MEMBERS, small_park

FIELDS = {
    "scenario", "seed", "participants", "periods", "periods_settled", "orders", "trades", "energy_traded_kwh", "energy_delivered_kwh", "churn",
    "imbalance_kwh", "imbalance_netting_cny", "units_traded", "rejects", "self_sufficiency", "self_consumption", "peak_import_kw",
    "storage_soc_delta_wh", "import_mwh", "bill_retail_cny", "bill_pool_cny", "bill_market_cny", "emissions_location_t", "money_sum_micro",
    "matched_share_hourly", "matched_share_annual", "covered_mwh", "ef_average", "ef_residual", "scope2_location_t", "scope2_market_t",
    "energy_balance_wh_max_error", "state_hash", "replay_hash", "order_ack_ms", "wall_s", "compile_s",
}  # fmt: skip


def test_every_check_of_the_day_holds(played_day) -> None:
    summary, _, _ = played_day
    assert summary["periods_settled"] == summary["periods"] == 4
    assert summary["participants"] == len(MEMBERS)
    assert summary["orders"] > 300
    assert summary["trades"] > 10
    assert summary["energy_delivered_kwh"] > 0
    assert summary["money_sum_micro"] == 0
    assert summary["energy_balance_wh_max_error"] == 0
    assert re.fullmatch("[0-9a-f]{64}", summary["state_hash"])
    assert summary["replay_hash"] == summary["state_hash"]
    assert 0 < summary["order_ack_ms"]["p50"] <= summary["order_ack_ms"]["p99"]
    assert set(summary["rejects"]) <= {"POST_ONLY_WOULD_CROSS"}


def test_summary_has_every_field_as_a_plain_number(played_day) -> None:
    summary, out, _ = played_day
    written = json.loads((out / "summary.json").read_text())
    assert written == summary
    assert set(written) >= FIELDS
    for name in FIELDS - {"scenario", "units_traded", "rejects", "state_hash", "replay_hash", "order_ack_ms"}:
        assert isinstance(written[name], int | float), name
        assert not isinstance(written[name], bool), name
    for name in (name for name in written if name.endswith(("_micro", "_wh", "_error"))):
        assert isinstance(written[name], int), name
    for name in (name for name in written if name.endswith("_cny")):
        assert written[name] == round(written[name], 2), name
    for name in ("self_sufficiency", "self_consumption", "matched_share_hourly", "matched_share_annual"):
        assert 0 <= written[name] <= 1
    # Both accounts follow from the four figures before them.
    assert written["scope2_location_t"] == pytest.approx(written["import_mwh"] * written["ef_average"], abs=1e-5)
    assert written["scope2_market_t"] == pytest.approx((written["import_mwh"] - written["covered_mwh"]) * written["ef_residual"], abs=1e-5)
    assert written["scope2_location_t"] == pytest.approx(written["emissions_location_t"], abs=1e-3)
    assert set(written["indicators"]) == {"carbon_per_energy", "clean_energy", "product_energy", "solid_waste", "waste_heat", "water_reuse"}


def test_every_participant_gets_a_statement_that_names_the_journal(played_day) -> None:
    summary, out, _ = played_day
    for name in (*MEMBERS, "operator"):
        text = (out / "statements" / f"{name}.txt").read_text()
        assert "Statement 2026-07-15" in text
        assert "基本电费" in text
        assert summary["journal_head"] in text
        content = json.loads((out / "statements" / f"{name}.json").read_text())
        assert content["journal_head"] == summary["journal_head"]
    assert (out / "readmodel.sqlite").is_file()


def test_the_journal_replays_to_the_same_hash_in_this_process_too(played_day) -> None:
    summary, out, _ = played_day
    replayed = replay_and_count(out / "journal")
    assert replayed.state_hash == summary["state_hash"]
    assert (replayed.orders, replayed.trades) == (summary["orders"], summary["trades"])
    assert replayed.chain_hash == summary["journal_head"]


def test_a_journal_is_replayed_up_to_a_command_that_a_group_ends_with(played_day) -> None:
    _, out, _ = played_day
    reader = JournalReader.open(out / "journal")
    groups = [(group.first_sequence + len(group.records) - 1, group.chain_hash) for group in reader.groups()]
    reader.close()
    last, chain_hash = groups[len(groups) // 2]
    replayed = replay_and_count(out / "journal", last)
    assert (replayed.sequence, replayed.chain_hash) == (last, chain_hash)
    assert replayed.orders < replay_and_count(out / "journal").orders
    with pytest.raises(CorruptionError, match="no group of the journal ends with"):
        replay_and_count(out / "journal", groups[-1][0] + 1)


async def test_kept_serving_the_checks_hold_though_the_journal_grows(tmp_path: Path) -> None:
    park, shown = small_park(periods=1), io.StringIO()
    with open_output(tmp_path / "out") as output, Progress(Console(file=shown, width=200)) as progress:
        playing = asyncio.create_task(Demo(DemoOptions(speed=None, keep_serving=True), park, output, progress).run())
        while "until interrupted" not in shown.getvalue():
            assert not playing.done(), playing.exception()
            await asyncio.sleep(0.05)
        url = re.search(r"Serving at (http\S+)", shown.getvalue())[1]
        async with connect(url.replace("http", "ws", 1)) as visitor:
            assert (await visitor.status()).accepting
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["replay_hash"] == summary["state_hash"]
    # The ends of sessions and the checkpoint of the stop lie behind the summary; its head stays in the journal.
    assert verify(tmp_path / "out" / "journal", summary["journal_head"]).known_head_sequence


def test_what_it_shows(played_day) -> None:
    summary, _, shown = played_day
    assert "The exchange is open at http://127.0.0.1:" in shown
    assert "metered" in shown
    assert summary["state_hash"] in shown
    assert "gain = pool - market" in shown
    assert "个时段已结算" in shown


def test_no_private_file_stays(played_day) -> None:
    _, out, _ = played_day
    names = {path.name for path in out.rglob("*") if path.is_file()}
    assert not [name for name in names if "bots" in name or "server" in name]
    assert not any(b"private_key" in path.read_bytes() for path in out.rglob("*.json"))


def test_nothing_is_left_running(played_day) -> None:
    """The demo was played in this process, so its children would be children of this one."""
    assert played_day
    commands = [" ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)]
    assert not [command for command in commands if "clients." in command]


@pytest.mark.parametrize("periods", [0, 97])
def test_periods_out_of_range(periods: int) -> None:
    from clients.scenarios.loader import load_park

    with pytest.raises(InputError, match="1 to 96"):
        first_periods(load_park(), periods)


def test_a_directory_with_something_in_it_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        run_demo(DemoOptions(out=tmp_path), Console(file=sys.stderr))
    with pytest.raises(InputError, match="is a file"):
        run_demo(DemoOptions(out=tmp_path / "file"), Console(file=sys.stderr))


def test_the_demo_places_no_order_itself() -> None:
    import clients.simulator.operator_desk as desk
    from clients.simulator import demo

    for module in (demo, desk):
        source = Path(str(module.__file__)).read_text()
        assert "order_params" not in source
        assert ".place" not in source
    assert small_park().members[0].id == "E03"
