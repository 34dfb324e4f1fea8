"""The park operator of a demo: opens the day, meters each delivered period, settles. It acts through the public protocol with the operator's key."""

from collections.abc import Mapping
from typing import Any, Final

from clients.scenarios.model import Member, Park
from clients.sdk import ParkClient
from clients.simulator.listing import account_documents, admit_document, contract_documents, device_documents, instrument_documents
from clients.simulator.world import ParkWorld, PeriodReadings
from exchange.protocol.documents import MeterReadings, SettleDay
from exchange.units import PERIOD_NS

OPERATOR_KEY_ID: Final = "operator"


def is_metered(member: Member) -> bool:
    """Whether the member has a metering point: a trader or a carbon company has none."""
    return bool(member.connection_kw or member.generation_kw or member.storage is not None)


class OperatorDesk:
    """`readings` grows by one entry a metered period."""

    def __init__(self, client: ParkClient, park: Park) -> None:
        self._client = client
        self._park = park
        self._world = ParkWorld(park)
        self.accounts: dict[str, int] = {}
        self.readings: list[PeriodReadings] = []

    @property
    def world(self) -> ParkWorld:
        return self._world

    async def open_day(self, public_keys: Mapping[str, bytes]) -> None:
        """Admit the members with their keys, list the instruments, book money, units, storage, devices and contracts. Raises RequestRefused."""
        for member in self._park.members:
            answer = await self._client.submit(admit_document(member, public_keys[member.id]))
            self.accounts[member.id] = answer["account"]
        for listing in instrument_documents(self._park):
            await self._client.submit(listing)
        for document in account_documents(self._park, self.accounts):
            await self._client.submit(document)
        for device in device_documents(self._park, self.accounts):
            await self._client.submit(device)
        for contracts in contract_documents(self._park, self.accounts):
            await self._client.submit(contracts)

    def is_due(self, now_ns: int) -> bool:
        """Whether a period has ended that is not metered yet."""
        metered = len(self.readings)
        return metered < len(self._park.symbols) and int(self._park.start_ns[metered]) + PERIOD_NS <= now_ns

    async def meter_next(self, schedules: Mapping[str, int]) -> PeriodReadings:
        """Let the next period happen and send its readings. `schedules`: injection in Wh of each storage, by member id."""
        readings = self._world.deliver(schedules)
        await self._client.submit(self._document(readings))
        self.readings.append(readings)
        return readings

    async def settle(self) -> Any:
        """Settle the day and return its report."""
        day = self._park.date.isoformat()
        adders = {str(self.accounts[m.id]): m.voltage_adder_micro_per_kwh for m in self._park.members if m.voltage_adder_micro_per_kwh}
        first, last = int(self._park.start_ns[0]), int(self._park.start_ns[-1])
        await self._client.submit(
            SettleDay(day=day, day_start_ns=first, day_end_ns=last + PERIOD_NS, voltage_adders_micro_per_kwh=adders)
        )
        return await self._client.settlement(day)

    def _document(self, readings: PeriodReadings) -> MeterReadings:
        rows = [i for i, member in enumerate(self._park.members) if is_metered(member)]
        start_ns = int(self._park.start_ns[readings.period])
        return MeterReadings(
            revision=1,
            accounts=[self.accounts[self._park.members[i].id] for i in rows],
            period_starts_ns=[start_ns] * len(rows),
            consumption_wh=readings.consumption_wh[rows].tolist(),
            generation_wh=readings.generation_wh[rows].tolist(),
            soc_wh=readings.soc_wh[rows].tolist(),
            grid_starts_ns=[start_ns],
            grid_import_wh=[readings.grid_import_wh],
            grid_export_wh=[readings.grid_export_wh],
            losses_wh=[readings.losses_wh],
        )
