"""All rules over one stream: executions, notices and commands of each batch in the order in which they happened.

A fold of the event stream: the same journal gives the same alerts, however it is cut into batches. It keeps no state of the market, sends no command,
and what it finds is for people. What it needs to know of an instrument never changes after the listing.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol

import numpy as np

from exchange.accounts.participants import Participant
from exchange.journal.record import CommandKind
from exchange.market.instruments import Instrument
from exchange.order_path.path import BatchResult
from exchange.order_path.records import ExecutionKind
from exchange.order_path.tables import Notice
from exchange.protocol.documents import MeterReadings
from exchange.protocol.messages import AlertRow, AlertsResult
from exchange.surveillance.closes import CloseRules
from exchange.surveillance.events import Cancelled, Execution, Finding, OpenOrder, Owners, Trade, as_execution
from exchange.surveillance.layering import LayeringRule
from exchange.surveillance.order_flow import OrderToTradeRule
from exchange.surveillance.parameters import Parameters
from exchange.surveillance.wash_trades import WashTradeRule
from exchange.surveillance.withholding import WithholdingRule
from exchange.units import PERIOD_NS
from matching.records import Reason, Side

ALERTS_KEPT: Final = 10_000
_ENDS: Final = {"gate_closed", "settled"}


_Event = tuple[int, int, int, Execution | Notice]  # command, stamp, executions before notices


class ReferenceData(Protocol):
    """What surveillance asks of the exchange."""

    def instrument(self, symbol: str) -> Instrument | None: ...

    def instrument_by_id(self, instrument_id: int) -> Instrument: ...

    def participants(self) -> Iterable[Participant]: ...


class Surveillance:
    """`on_batch` takes one applied batch; batches come in order. `on_alert` is called with every new alert."""

    def __init__(
        self, reference: ReferenceData, parameters: Parameters | None = None, on_alert: Callable[[AlertRow], None] | None = None
    ) -> None:
        rules = parameters or Parameters()
        self._reference, self._repeat_ns, self.on_alert = reference, rules.repeat_ns, on_alert
        people = list(reference.participants())
        self._owners = Owners({p.id: p.beneficial_owner for p in people}, {p.id: str(p.role) for p in people})
        self._wash_trades = WashTradeRule(rules.wash_trades, self._owners)
        self._layering = LayeringRule(rules.layering)
        self._closes = CloseRules(rules.marking_the_close, rules.squeeze, self._owners)
        self._withholding = WithholdingRule(rules.withholding)
        self._order_flow = OrderToTradeRule(rules.order_to_trade, self._owners)
        self._orders: dict[int, OpenOrder] = {}
        self._quarters: dict[int, int] = {}  # id of the first contract of the quarter-hour that starts then
        self._quarters_within: dict[int, list[int]] = {}  # by instrument, from the table above
        self._raised_ns: dict[tuple[str, int, tuple[int, ...]], int] = {}
        self.count = 0
        self.alerts: deque[AlertRow] = deque(maxlen=ALERTS_KEPT)

    def on_batch(self, batch: BatchResult) -> None:
        """Fold one batch."""
        for finding in self._findings(batch):
            self._raise(finding)

    def result(self, rule: str | None, limit: int) -> AlertsResult:
        """The last alerts, newest first."""
        found = [alert for alert in reversed(list(self.alerts)) if rule is None or alert.rule == rule]
        return AlertsResult(count=self.count, alerts=found[:limit])

    def _findings(self, batch: BatchResult) -> Iterator[Finding]:
        """By command, then time; executions before notices of the same moment: what a gate ends happened before it closed."""
        executions: Iterator[_Event] = ((row.id[0], row.stamp_ns, 0, row) for row in map(as_execution, batch.executions.tolist()))
        notices: Iterator[_Event] = ((notice.sequence, notice.stamp_ns, 1, notice) for notice in batch.notices)
        events = heapq.merge(executions, notices, key=lambda event: event[:3]) if batch.notices else executions
        commands = iter(_runs(batch))
        at_ns, run = next(commands, (0, batch.records[:0]))
        for _, stamp_ns, _, event in events:
            while len(run) and at_ns <= stamp_ns:
                yield from self._count_commands(at_ns, run)
                at_ns, run = next(commands, (0, batch.records[:0]))
            yield from self._order_flow.on_time(stamp_ns)
            if isinstance(event, Notice):
                yield from self._on_notice(event)
            else:
                yield from self._on_execution(event)
        while len(run):
            yield from self._count_commands(at_ns, run)
            at_ns, run = next(commands, (0, batch.records[:0]))
        if len(batch.records):
            yield from self._order_flow.on_time(int(batch.records["stamp_ns"][-1]))

    def _count_commands(self, at_ns: int, records: "np.ndarray[Any, np.dtype[np.void]]") -> Iterator[Finding]:
        yield from self._order_flow.on_time(at_ns)
        self._order_flow.on_commands(records)

    def _on_execution(self, event: Execution) -> Iterator[Finding]:
        if event.is_trade:
            yield from self._on_trade(event)
        elif event.kind == ExecutionKind.RESTED:
            order = OpenOrder(event.instrument, event.account, event.side, event.remaining_lots, event.stamp_ns, event.price_ticks)
            self._change_order(event.order_id, order)
        elif event.kind == ExecutionKind.REDUCED:
            self._shrink(event.order_id, event.remaining_lots)
        elif event.kind in {ExecutionKind.CANCELLED, ExecutionKind.REPRICED}:
            ended = self._orders.get(event.order_id)
            self._shrink(event.order_id, 0)
            if ended is not None and event.kind == ExecutionKind.CANCELLED and event.reason == Reason.REQUESTED:
                cancelled = Cancelled(event.id, event.stamp_ns, event.instrument, event.account, ended.side, event.lots, ended.rested_ns)
                yield from self._layering.on_cancel(cancelled)

    def _on_trade(self, event: Execution) -> Iterator[Finding]:
        buyer, seller = (event.account, event.counter_account) if event.side == Side.BUY else (event.counter_account, event.account)
        trade = Trade(event.id, event.stamp_ns, event.instrument, event.price_ticks, event.lots, buyer, seller)
        instrument = self._reference.instrument_by_id(trade.instrument)
        quarters = self._quarters_of(instrument)
        for quarter in quarters:
            self._withholding.on_sale(quarter, seller, trade.lots)
            self._withholding.on_sale(quarter, buyer, -trade.lots)
        if quarters and instrument.is_quarter_hour:
            self._withholding.on_price(trade, quarters[0], instrument.spec.delivery_start_ns)
        self._shrink(event.counter_order_id, event.counter_remaining_lots)
        if event.reason == Reason.AUCTION:  # in an auction both had rested; else the taker rests afterwards, if at all
            self._shrink(event.order_id, event.remaining_lots)
        self._layering.on_trade(trade)
        self._closes.on_trade(trade)
        self._order_flow.on_trade(trade)
        yield from self._wash_trades.on_trade(trade)

    def _change_order(self, order_id: int, order: OpenOrder) -> None:
        self._shrink(order_id, 0)
        self._orders[order_id] = order
        self._tell_of(order, order.lots)

    def _shrink(self, order_id: int, remaining_lots: int) -> None:
        order = self._orders.get(order_id)
        if order is None:
            return
        change_lots, order.lots = remaining_lots - order.lots, remaining_lots
        self._tell_of(order, change_lots)
        if not remaining_lots:
            del self._orders[order_id]

    def _tell_of(self, order: OpenOrder, change_lots: int) -> None:
        """An offer above the deficit price is none: whoever is short then pays less to the park than to the seller."""
        instrument = self._reference.instrument_by_id(order.instrument)
        deficit_ticks = instrument.spec.deficit_price_ticks
        if order.side == Side.SELL and (order.price_ticks <= deficit_ticks or not deficit_ticks):
            for quarter in self._quarters_of(instrument):
                self._withholding.on_offer(quarter, order.account, change_lots)

    def _quarters_of(self, instrument: Instrument) -> list[int]:
        """Ids of the quarter-hours that an instrument delivers in: of a block those it covers.

        Only of those whose listing was seen: what was offered for others before the stream began is not known, and nobody withheld it.
        """
        known = self._quarters_within.get(instrument.id)
        if known is None:
            spec = instrument.spec
            starts = range(spec.delivery_start_ns, spec.delivery_end_ns, PERIOD_NS) if instrument.is_power else ()
            known = self._quarters_within[instrument.id] = [self._quarters[start_ns] for start_ns in starts if start_ns in self._quarters]
        return known

    def _on_notice(self, notice: Notice) -> Iterator[Finding]:
        data = notice.data
        if notice.kind in {"admitted", "participant"}:
            self._owners.owner[data["account"]], self._owners.role[data["account"]] = data["beneficial_owner"], data["role"]
        elif notice.kind == "listed":
            self._note_quarter(data["symbol"])
        elif notice.kind == "phase" and data["phase"] in _ENDS:
            yield from self._on_end(data["symbol"], notice.stamp_ns)
        elif notice.kind == "close":
            instrument = self._reference.instrument(data["symbol"])
            if instrument is not None:
                yield from self._closes.on_close(instrument.id, notice.stamp_ns, is_gate=False)
        elif notice.kind == "metered":
            yield from self._on_metered(notice)
        elif notice.kind == "contracts":
            for row in data["positions"].positions:
                for quarter in self._quarters_of(self._reference.instrument_by_id(data["instruments"][row.symbol])):
                    self._withholding.on_sale(quarter, row.account, -row.net_lots)

    def _note_quarter(self, symbol: str) -> None:
        instrument = self._reference.instrument(symbol)
        if instrument is not None and instrument.is_quarter_hour:
            # Of several contracts of one quarter-hour the first stands for all: what was offered in any of them was offered for that time.
            self._quarters.setdefault(instrument.spec.delivery_start_ns, instrument.id)
            self._quarters_within.clear()

    def _on_end(self, symbol: str, at_ns: int) -> Iterator[Finding]:
        instrument = self._reference.instrument(symbol)
        if instrument is None:
            return
        yield from self._closes.on_close(instrument.id, at_ns, is_gate=True)
        self._wash_trades.forget(instrument.id)
        self._layering.forget(instrument.id)

    def _on_metered(self, notice: Notice) -> Iterator[Finding]:
        readings: MeterReadings = notice.data["readings"]
        injections_wh = [out - taken for out, taken in zip(readings.generation_wh, readings.consumption_wh, strict=True)]
        yield from self._withholding.on_metered(notice.stamp_ns, self._quarters, readings.accounts, readings.period_starts_ns, injections_wh)
        for start_ns in set(readings.period_starts_ns):
            self._quarters.pop(start_ns, None)
        self._quarters_within.clear()

    def _raise(self, finding: Finding) -> None:
        """Number a finding, unless the same was found a moment ago."""
        same = (finding.rule, finding.instrument, tuple(finding.accounts))
        raised_ns = self._raised_ns.get(same)
        if raised_ns is not None and finding.at_ns - raised_ns < self._repeat_ns:
            return
        self._raised_ns[same] = finding.at_ns
        if len(self._raised_ns) > ALERTS_KEPT:
            self._raised_ns = {key: at_ns for key, at_ns in self._raised_ns.items() if finding.at_ns - at_ns < self._repeat_ns}
        self.count += 1
        alert = AlertRow(
            number=self.count, rule=finding.rule, at_ns=finding.at_ns,
            instrument=self._reference.instrument_by_id(finding.instrument).symbol if finding.instrument else "", accounts=finding.accounts,
            events=[list(event) for event in finding.events], evidence=finding.evidence, parameters=finding.parameters,
        )  # fmt: skip
        self.alerts.append(alert)
        if self.on_alert is not None:
            self.on_alert(alert)


def _runs(batch: BatchResult) -> Iterator[tuple[int, "np.ndarray[Any, np.dtype[np.void]]"]]:
    """(stamp, commands of that stamp) of the order commands of a batch."""
    kinds = batch.records["kind"]
    orders = batch.records[(kinds >= int(CommandKind.PLACE)) & (kinds <= int(CommandKind.BASKET))]
    stamps = orders["stamp_ns"]
    ends = [*(np.flatnonzero(np.diff(stamps)) + 1).tolist(), len(orders)]
    start = 0
    for end in ends:
        if end > start:
            yield int(stamps[start]), orders[start:end]
        start = end
