"""A park that trades one day, meters it and settles it, by the documents of an operator."""

from typing import Any

import numpy as np

from exchange.protocol.documents import Document, MeterReadings, SettleDay
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.units import NS_PER_DAY, PERIOD_NS
from matching.records import Side
from tests.exchange.order_path.park import DAY_NS, OPEN_NS, Park, power_spec

KWH = 1_000


class SettlingPark(Park):
    """`plant` generates with a registered PV device, `load` and `other` use, `storage` has one. Quarter-hours from 10:00 on are listed and open."""

    def __init__(self, periods: int = 2, exchange: Any = None, **spec: Any) -> None:
        super().__init__(exchange)
        self.plant = self.admit("plant", "generator", ["power_buy", "power_sell"], low=-100_000)
        self.load = self.admit("load", "enterprise", ["power_buy", "power_sell"], high=100_000)
        self.other = self.admit("other", "enterprise", ["power_buy", "power_sell"], high=100_000)
        self.starts_ns = [DAY_NS + (40 + index) * PERIOD_NS for index in range(periods)]
        self.instruments = self.list(*(power_spec(40 + index, **({"environment_price_ticks": 60} | spec)) for index in range(periods)))
        self.revision = 0
        self.tick(OPEN_NS)

    def register_pv(self, account: int | None = None, **fields: Any) -> int:
        values = {"account": account or self.plant, "name": "PV01", "kind": "pv", "capacity_w": 10**8, "commissioned_ns": 0, "scheme": "granular"}
        return int(self.ok(RegisterDevice(**(values | fields)))["device"])

    def trade(self, buyer: int, lots: int, price_ticks: int = 5_000, period: int = 0, seller: int | None = None) -> None:
        seller = seller or self.plant
        assert self.place(seller, self.instruments[period], Side.SELL, price_ticks, lots)["code"] == 0
        assert self.place(buyer, self.instruments[period], Side.BUY, price_ticks, lots)["filled_lots"] == lots

    def ok(self, document: Document, account: int | None = None) -> dict[str, Any]:
        """The answer to a document that is accepted."""
        code, answer = self.document(document) if account is None else self.document(document, account)
        assert code == 0, answer
        return answer

    def readings(
        self, consumption: dict[int, Any], generation: dict[int, Any], losses_wh: Any = 0, starts_ns: list[int] | None = None
    ) -> MeterReadings:
        """Readings in Wh by account, a value for every period or a list, with the grid meter that balances them."""
        starts = starts_ns or self.starts_ns
        accounts = sorted({*consumption, *generation})
        used, made = (np.array([np.broadcast_to(of.get(account, 0), len(starts)) for account in accounts]) for of in (consumption, generation))
        net = (used - made).sum(axis=0) + losses_wh
        self.revision += 1
        return MeterReadings(
            revision=self.revision, accounts=[account for account in accounts for _ in starts], period_starts_ns=starts * len(accounts),
            consumption_wh=used.ravel().tolist(), generation_wh=made.ravel().tolist(), soc_wh=[-1] * used.size, grid_starts_ns=starts,
            grid_import_wh=np.maximum(net, 0).tolist(), grid_export_wh=np.maximum(-net, 0).tolist(),
            losses_wh=np.broadcast_to(losses_wh, len(starts)).tolist(),
        )  # fmt: skip

    def deliver(self) -> None:
        """Time goes on behind the last delivery."""
        self.tick(self.starts_ns[-1] + 2 * PERIOD_NS)

    def settle(self, **fields: Any) -> tuple[int, dict[str, Any]]:
        values = {"day": "2026-07-15", "day_start_ns": DAY_NS, "day_end_ns": DAY_NS + NS_PER_DAY} | fields
        return self.document(SettleDay(**values))

    def statement_amounts(self, account: int, run: int = 0) -> dict[str, int]:
        """Amounts of the lines that are not zero, by name."""
        statement = self.exchange.statement(account, "2026-07-15", run)
        assert statement is not None
        return {str(line.item): line.amount_micro for line in statement.lines if line.amount_micro}
