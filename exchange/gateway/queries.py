"""Answers that read and change nothing: reference data, the account's own orders, money and positions."""

from exchange.gateway.executions import SIDE_NAMES
from exchange.gateway.ports import ExchangeView
from exchange.market.auction_terms import NO_PRICE
from exchange.market.instruments import Instrument
from exchange.protocol.decimals import format_decimal
from exchange.protocol.messages import (
    BalancesResult,
    InstrumentResult,
    InstrumentsResult,
    OpenOrderResult,
    OrdersResult,
    PositionResult,
    PositionsResult,
)
from matching.records import TimeInForce

_TIME_IN_FORCE_NAMES = {int(member): member.name.lower() for member in TimeInForce}


def instrument_result(instrument: Instrument, phase_end_ns: int = 0) -> InstrumentResult:
    """Published facts of one instrument."""
    spec = instrument.spec
    has_auctions = bool(spec.opening_auction_ns or spec.closing_auction_ns or spec.interruption_ns)

    def price(ticks: int) -> str:
        return format_decimal(ticks, spec.price_decimals)

    is_power, band, block_band, reference = instrument.is_power, instrument.band, instrument.block_band, instrument.reference
    return InstrumentResult(
        symbol=spec.symbol, instrument_class=spec.instrument_class, venue=spec.venue, calendar=spec.calendar, phase=instrument.phase.name.lower(),
        unit=spec.unit, price_decimals=spec.price_decimals, quantity_decimals=spec.quantity_decimals, min_price=price(spec.min_price_ticks),
        max_price=price(spec.max_price_ticks), band_low=price(band.low_ticks), band_high=price(band.high_ticks),
        max_order=format_decimal(spec.max_order_lots, spec.quantity_decimals), multiplier_micro=spec.multiplier_micro, resale=spec.resale,
        delivery_start_ns=spec.delivery_start_ns, delivery_end_ns=spec.delivery_end_ns, open_ns=spec.open_ns, close_ns=spec.close_ns,
        maker_fee_lot_micro=spec.maker_fee_lot_micro, taker_fee_lot_micro=spec.taker_fee_lot_micro,
        maker_fee_tick_lot_micro=spec.maker_fee_tick_lot_micro, taker_fee_tick_lot_micro=spec.taker_fee_tick_lot_micro,
        park_fee_lot_micro=spec.park_fee_lot_micro, deficit_price=price(spec.deficit_price_ticks) if is_power else "",
        surplus_price=price(spec.surplus_price_ticks) if is_power else "", environment_price=price(spec.environment_price_ticks) if is_power else "",
        phase_end_ns=phase_end_ns, opening_auction_ns=spec.opening_auction_ns, closing_auction_ns=spec.closing_auction_ns,
        interruption_ns=spec.interruption_ns, interruption_ppm=spec.interruption_ppm,
        reference_price=price(spec.reference_price_ticks) if spec.reference_price_ticks != NO_PRICE else "",
        auction_price_rule=spec.auction_price_rule if has_auctions else "",
        k_ppm=spec.k_ppm if has_auctions and spec.auction_price_rule == "k" else 0,
        previous_close="" if reference is None else price(reference.previous_close_ticks), limit_ppm=spec.limit_ppm,
        block_low="" if block_band is None else price(block_band.low_ticks), block_high="" if block_band is None else price(block_band.high_ticks),
        min_block="" if block_band is None else format_decimal(spec.block_min_lots, spec.quantity_decimals),
    )


def instruments_result(exchange: ExchangeView, instrument_class: str | None) -> InstrumentsResult:
    """All instruments, or those of one class."""
    found = [i for i in exchange.instruments() if instrument_class is None or i.spec.instrument_class == instrument_class]
    return InstrumentsResult(instruments=[instrument_result(i, exchange.phase_end_ns(i.symbol)) for i in found])


def open_orders_result(exchange: ExchangeView, account: int, symbol: str | None) -> OrdersResult:
    """Open orders of an account and the private sequence they are as of."""
    orders = []
    for order in exchange.open_orders(account):
        instrument = exchange.instrument(order.symbol)
        if instrument is None or (symbol is not None and order.symbol != symbol):
            continue
        spec = instrument.spec
        orders.append(
            OpenOrderResult(
                order_id=order.order_id, client_order_id=order.client_order_id, instrument=order.symbol, side=SIDE_NAMES[order.side],
                price=format_decimal(order.price_ticks, spec.price_decimals),
                quantity=format_decimal(order.original_lots, spec.quantity_decimals),
                filled=format_decimal(order.filled_lots, spec.quantity_decimals),
                remaining=format_decimal(order.remaining_lots, spec.quantity_decimals),
                time_in_force=_TIME_IN_FORCE_NAMES[order.time_in_force], revision=order.revision, label=order.label, expires_at_ns=order.expiry_ns,
                waiting=order.waits, all_or_none=order.all_or_none, reduce_only=order.reduce_only,
                display=format_decimal(order.display_lots, spec.quantity_decimals) if order.display_lots else None,
                min_quantity=format_decimal(order.min_lots, spec.quantity_decimals) if order.min_lots else None,
                stop_price=format_decimal(order.stop_ticks, spec.price_decimals) if order.stop_ticks is not None else None,
            )
        )
    return OrdersResult(orders=orders, execution_seq=exchange.execution_seq(account))


def balances_result(exchange: ExchangeView, account: int) -> BalancesResult:
    """Money of an account."""
    balances = exchange.balances(account)
    return BalancesResult(balance_micro=balances.balance_micro, held_micro=balances.held_micro, available_micro=balances.available_micro)


def positions_result(exchange: ExchangeView, account: int, symbol: str | None) -> PositionsResult:
    """Positions of an account in open instruments."""
    positions = []
    for position in exchange.positions(account, symbol):
        instrument = exchange.instrument(position.symbol)
        if instrument is None:
            continue
        decimals = instrument.spec.quantity_decimals
        positions.append(
            PositionResult(
                instrument=position.symbol, net=format_decimal(position.net_lots, decimals),
                contract=format_decimal(position.contract_lots, decimals), open_buy=format_decimal(position.open_buy_lots, decimals),
                open_sell=format_decimal(position.open_sell_lots, decimals), locked=format_decimal(position.locked_lots, decimals),
                held_micro=position.held_micro,
            )
        )
    return PositionsResult(positions=positions)

