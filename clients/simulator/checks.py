"""What a played day must fulfil, and how it is told."""

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clients.scenarios.model import Park
from clients.simulator.comparison import Comparison
from exchange.errors import CheckFailedError


async def replay(journal: Path, until_sequence: int, year: int) -> dict[str, Any]:
    """Fold the journal up to a command in a process of its own: state hash, head, counts of what it holds, and carbon accounts of the year.

    Raises CheckFailedError when it cannot.
    """
    arguments = ("-m", "clients.simulator.replay_process", str(journal), str(until_sequence), str(year))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    out, errors = await process.communicate()
    if process.returncode != 0:
        lines = errors.decode(errors="replace").strip().splitlines()
        raise CheckFailedError(f"replay of the journal failed: {lines[-1] if lines else f'code {process.returncode}'}")
    result: dict[str, Any] = json.loads(out)
    return result


def failed_checks(summary: Mapping[str, Any], final: Mapping[str, Any], replayed: Mapping[str, Any]) -> list[str]:
    """Names of the checks that do not hold, with what was found."""
    expected = {
        "all periods settled": (summary["periods_settled"], summary["periods"]),
        "replay reaches the state hash": (replayed["state_hash"], final["state_hash"]),
        "replay reaches the head of the journal": (replayed["chain_hash"], final["chain_hash"]),
        "replay reaches the last command": (replayed["sequence"], final["sequence"]),
        "money accounts sum to zero": (summary["money_sum_micro"], 0),
        "physical balance closes": (summary["energy_balance_wh_max_error"], 0),
        "orders acknowledged are orders journaled": (summary["orders"], replayed["orders"]),
        "trades published are trades journaled": (summary["trades"], replayed["trades"]),
        "green energy is certified once": (summary["certificates_issued"], summary["green_generation_mwh"]),
        "nothing is claimed twice": (summary["double_claims"], 0),
    }
    return [f"check failed: {name}: {found} is not {wanted}" for name, (found, wanted) in expected.items() if found != wanted]


def describe(summary: Mapping[str, Any], comparison: Comparison, park: Park) -> Iterator[str]:
    """The summary for people, English, then the headline in Chinese."""
    s = summary
    yield ""
    yield f"{park.name_en}, {s['date']}: {s['participants']} participants, {s['periods_settled']} of {s['periods']} periods settled"
    yield (
        f"orders {s['orders']:,}   trades {s['trades']:,} ({s['auction_trades']:,} in auctions)   energy traded {s['energy_traded_kwh']:,.0f} kWh, "
        f"delivered {s['energy_delivered_kwh']:,.0f} kWh (churn {s['churn']})   imbalance {s['imbalance_kwh']:,.0f} kWh"
    )
    yield (
        f"self-sufficiency {s['self_sufficiency']:.1%}   self-consumption {s['self_consumption']:.1%}   import {s['import_mwh']:.2f} MWh, "
        f"peak {s['peak_import_kw']:,.0f} kW   {s['emissions_location_t']:.2f} t CO2 ({s['emission_factor']})"
    )
    yield (
        f"certificates issued {s['certificates_issued']:.2f} MWh, traded {s['certificates_traded']:.2f}, retired {s['certificates_retired']:.2f}, "
        f"expired {s['certificates_expired']:.2f}; opening stock of earlier months {s['certificates_opening']:,.0f} MWh   "
        f"double claims {s['double_claims']}"
    )
    if "scope2_market_t" in s:
        yield (
            f"Scope 2 by location {s['scope2_location_t']:.2f} t, by market {s['scope2_market_t']:.2f} t   covered {s['covered_mwh']:.2f} MWh   "
            f"matched by hour {s['matched_share_hourly']:.1%}, over the day {s['matched_share_annual']:.1%}"
        )
    yield ""
    yield comparison.describe("en").rstrip()
    yield ""
    yield (
        f"order-to-ack p50 {s['order_ack_ms']['p50']} ms, p99 {s['order_ack_ms']['p99']} ms   wall {s['wall_s']:.1f} s "
        f"(and {s['compile_s']:.1f} s to compile or load the order path)"
    )
    yield f"state hash  {s['state_hash']}"
    yield f"replay hash {s['replay_hash']}"
    yield (
        f"{park.name_zh}：{s['periods_settled']} 个时段已结算，委托 {s['orders']:,} 笔，成交 {s['trades']:,} 笔"
        f"（集合竞价 {s['auction_trades']:,} 笔）；"
        f"全园区账单 零售 {s['bill_retail_cny']:,.2f} 元，统一池 {s['bill_pool_cny']:,.2f} 元，市场 {s['bill_market_cny']:,.2f} 元；"
        f"绿证签发 {s['certificates_issued']:.2f} MWh，核销 {s['certificates_retired']:.2f} MWh，重复声明 {s['double_claims']} 项"
    )
