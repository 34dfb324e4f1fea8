"""What a member does when its day is settled: it retires the certificates of the energy it used, so that it may claim them and nobody else can.

Granular certificates come with the settlement, a bundle for every quarter-hour of green energy that the member used itself or bought; they count for
the hour they were generated in. Certificates it bought on the day cover what it drew from the grid, as far as they go.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from clients.bots.private import RetirementPlan
from clients.sdk import ParkClient, RequestRefused
from exchange.protocol import messages
from exchange.protocol.value_chain.certificates import RetireUnits

# Settlement follows the last turn at once; longer than that and something is wrong.
_SETTLEMENT_TIMEOUT_S: Final = 60.0


class Retirement:
    """Waits for the statement of the day, then retires. Make it before the day begins, so that the statement is not missed."""

    def __init__(self, park: ParkClient, plan: RetirementPlan, count_refusal: Callable[[RequestRefused], None]) -> None:
        self._park = park
        self._plan = plan
        self._count_refusal = count_refusal
        self._settled = asyncio.Event()
        self.retired = 0

    async def watch(self) -> None:
        """Ask to be told of statements."""
        self._park.on("statement", self._on_statement)
        await self._park.subscribe("statements")

    async def run(self) -> None:
        """Retire what the plan says once the day is settled. Raises TimeoutError when it never is."""
        async with asyncio.timeout(_SETTLEMENT_TIMEOUT_S):
            await self._settled.wait()
        plan = self._plan
        if plan.granular:
            await self._retire("", 0, generated_from_ns=plan.first_ns, generated_to_ns=plan.end_ns)
        if plan.symbols:
            held = {row.instrument: row.net for row in await self._park.positions()}
            for symbol in plan.symbols:
                lots = int(held.get(symbol, "0"))
                if lots > 0:
                    await self._retire(symbol, lots)

    def _on_statement(self, _params: messages.StatementReady) -> None:
        self._settled.set()

    async def _retire(self, symbol: str, quantity_lots: int, **interval: Any) -> None:
        plan = self._plan
        document = RetireUnits(
            symbol=symbol, purpose=plan.purpose, consumed_from_ns=plan.first_ns, consumed_to_ns=plan.end_ns, quantity_lots=quantity_lots, **interval
        )
        try:
            await self._park.submit(document)
            self.retired += 1
        except RequestRefused as refusal:
            self._count_refusal(refusal)
