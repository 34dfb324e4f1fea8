"""REST: reference data, public trades, counts and energy. Every answer says as of which command sequence it is."""

from functools import partial
from typing import Annotated, Any, Protocol

import msgspec
from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from exchange.gateway.executions import SIDE_NAMES
from exchange.gateway.hub import Hub
from exchange.gateway.national_results import auction_result
from exchange.gateway.ports import History
from exchange.gateway.queries import instrument_result
from exchange.gateway.rest_flows import FlowHistory
from exchange.gateway.rest_records import read_records
from exchange.gateway.schemas import Problem, Refused
from exchange.market.phases import Phase
from exchange.protocol.decimals import format_decimal


class Health(BaseModel):
    """`status` is "ok" while commands are accepted."""

    status: str
    epoch: int
    as_of_seq: int
    now_ns: int
    sessions: int


class InstrumentOut(BaseModel):
    """As the wire's `instruments` (docs/protocol.md)."""

    symbol: str
    instrument_class: str
    venue: str
    calendar: str
    phase: str
    unit: str
    price_decimals: int
    quantity_decimals: int
    min_price: str
    max_price: str
    band_low: str
    band_high: str
    max_order: str
    multiplier_micro: int
    resale: str
    delivery_start_ns: int = 0
    delivery_end_ns: int = 0
    open_ns: int = 0
    close_ns: int = 0
    maker_fee_lot_micro: int = 0
    taker_fee_lot_micro: int = 0
    maker_fee_tick_lot_micro: int = 0
    taker_fee_tick_lot_micro: int = 0
    park_fee_lot_micro: int = 0
    deficit_price: str = ""
    surplus_price: str = ""
    environment_price: str = ""
    phase_end_ns: int = 0
    opening_auction_ns: int = 0
    closing_auction_ns: int = 0
    interruption_ns: int = 0
    interruption_ppm: int = 0
    reference_price: str = ""
    auction_price_rule: str = ""
    k_ppm: int = 0
    previous_close: str = ""
    limit_ppm: int = 0
    block_low: str = ""
    block_high: str = ""
    min_block: str = ""


class InstrumentList(BaseModel):
    as_of_seq: int
    instruments: list[InstrumentOut]


class TradeOut(BaseModel):
    """`number` counts the trades of the instrument; `side` is the taker's, empty in an auction, where there is none.

    `mode`: listed, auction, block, one_way.
    """

    instrument: str
    number: int
    price: str
    quantity: str
    side: str
    at_ns: int
    mode: str = "listed"


class TradeList(BaseModel):
    """Newest first."""

    as_of_seq: int
    trades: list[TradeOut]


class AuctionOut(BaseModel):
    """As the wire's `one_way.auctions` (docs/protocol.md)."""

    auction: int
    reference: str
    instrument: str
    applicant: int
    side: str
    quantity: str
    reserve_price: str
    tie: str
    seed: str
    fails_if_undersubscribed: bool
    opens_at_ns: int
    closes_at_ns: int
    status: str
    traded: str
    price: str | None = None


class AuctionList(BaseModel):
    as_of_seq: int
    auctions: list[AuctionOut]


class Summary(BaseModel):
    """Counts since the node started. `orders` are accepted new orders; `rejects` by reject code."""

    as_of_seq: int
    epoch: int
    now_ns: int
    time_zone: str
    turn: int
    orders: int
    trades: int
    energy_traded_wh: int
    rejects: dict[int, int]
    participants: int
    sessions: int
    phases: dict[str, int]
    period: str | None


class PeriodEnergy(BaseModel):
    """One metered delivery period of the whole park, in Wh."""

    start_ns: int
    generation_wh: int
    consumption_wh: int
    grid_import_wh: int
    grid_export_wh: int
    losses_wh: int


class EnergyList(BaseModel):
    as_of_seq: int
    periods: list[PeriodEnergy]


class ReadModel(History, FlowHistory, Protocol):
    """History kept outside the node: what `/v1/trades` reads when there is one."""

    def trades(self, instrument: str | None, limit: int) -> tuple[int, list[dict[str, Any]]]:
        """(sequence the answer is as of, rows with the fields of TradeOut, newest first)."""
        ...


def rest_router(hub: Hub, read_model: ReadModel | None, time_zone: str) -> APIRouter:
    """All routes under /v1."""
    router = APIRouter(prefix="/v1")
    exchange = hub.exchange

    @router.get("/health", summary="Whether the exchange accepts commands")
    async def health() -> Health:
        return Health(
            status="ok" if hub.node.accepting else "not_accepting",
            epoch=hub.node.epoch,
            as_of_seq=exchange.last_sequence,
            now_ns=hub.node.clock.now_ns(),
            sessions=len(hub.connections),
        )

    @router.get("/instruments", summary="All instruments, or those of one class")
    async def instruments(instrument_class: Annotated[str | None, Query(alias="class", max_length=16)] = None) -> InstrumentList:
        found = [i for i in exchange.instruments() if instrument_class is None or i.spec.instrument_class == instrument_class]
        return InstrumentList(
            as_of_seq=exchange.last_sequence,
            instruments=[InstrumentOut(**msgspec.to_builtins(instrument_result(i, exchange.phase_end_ns(i.symbol)))) for i in found],
        )

    @router.get(
        "/trades",
        summary="Last public trades, newest first",
        responses={
            404: {"model": Problem, "description": "No such instrument is listed"},
            503: {"model": Refused, "description": "The records cannot be read now"},
        },
    )
    async def trades(
        instrument: Annotated[str | None, Query(max_length=64)] = None, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> TradeList:
        if instrument is not None and exchange.instrument(instrument) is None:
            raise HTTPException(404, "unknown instrument")
        if read_model is not None:
            as_of_seq, rows = await read_records(hub, partial(read_model.trades, instrument, limit))
            return TradeList(as_of_seq=as_of_seq, trades=[TradeOut(**row) for row in rows])
        return TradeList(as_of_seq=exchange.last_sequence, trades=_recent_trades(hub, instrument, limit))

    @router.get("/auctions", summary="One-way auctions: terms and results, never bids")
    async def auctions() -> AuctionList:
        found = [auction_result(auction, exchange.instrument_by_id(auction.instrument).spec) for auction in exchange.one_way_auctions()]
        return AuctionList(as_of_seq=exchange.last_sequence, auctions=[AuctionOut(**msgspec.to_builtins(auction)) for auction in found])

    @router.get("/summary", summary="Counts of the running market")
    async def summary() -> Summary:
        return _summary(hub, time_zone)

    @router.get("/energy", summary="Energy of the park by metered delivery period")
    async def energy() -> EnergyList:
        return EnergyList(as_of_seq=exchange.last_sequence, periods=_metered_periods(hub))

    return router


def _recent_trades(hub: Hub, symbol: str | None, limit: int) -> list[TradeOut]:
    found: list[TradeOut] = []
    for _, instrument_id, number, price, quantity, side, stamp_ns, mode in reversed(hub.statistics.recent_trades):
        spec = hub.exchange.instrument_by_id(instrument_id).spec
        if symbol is not None and spec.symbol != symbol:
            continue
        found.append(
            TradeOut(
                instrument=spec.symbol, number=number, price=format_decimal(price, spec.price_decimals),
                quantity=format_decimal(quantity, spec.quantity_decimals), at_ns=stamp_ns, mode=mode,
                side="" if mode == "auction" else SIDE_NAMES[side],
            )
        )
        if len(found) == limit:
            break
    return found


def _summary(hub: Hub, time_zone: str) -> Summary:
    exchange, statistics = hub.exchange, hub.statistics
    now_ns = hub.node.clock.now_ns()
    phases: dict[str, int] = {}
    period = None
    for instrument in exchange.instruments():
        phases[instrument.phase.name.lower()] = phases.get(instrument.phase.name.lower(), 0) + 1
        if instrument.is_quarter_hour and instrument.spec.delivery_start_ns <= now_ns < instrument.spec.delivery_end_ns:
            period = instrument.symbol
    return Summary(
        as_of_seq=exchange.last_sequence, epoch=hub.node.epoch, now_ns=now_ns, time_zone=time_zone,
        turn=0 if hub.conductor is None else hub.conductor.turn, orders=statistics.orders, trades=statistics.trades,
        energy_traded_wh=statistics.energy_traded_wh, rejects=dict(statistics.rejects), participants=sum(1 for _ in exchange.participants()) - 1,
        sessions=len(hub.connections), phases=phases, period=period,
    )


def _metered_periods(hub: Hub) -> list[PeriodEnergy]:
    meters = hub.exchange.rooms.meters
    starts = sorted(
        {i.spec.delivery_start_ns for i in hub.exchange.instruments() if i.is_quarter_hour and i.phase in {Phase.DELIVERED, Phase.SETTLED}}
    )
    if not starts:
        return []
    day = meters.read(sorted(meters.metered_accounts()), starts)
    return [
        PeriodEnergy(
            start_ns=start_ns, generation_wh=int(day.generation_wh[:, t].sum()), consumption_wh=int(day.consumption_wh[:, t].sum()),
            grid_import_wh=int(day.grid_import_wh[t]), grid_export_wh=int(day.grid_export_wh[t]), losses_wh=int(day.losses_wh[t]),
        )
        for t, start_ns in enumerate(starts)
        if day.grid_metered[t]
    ]
