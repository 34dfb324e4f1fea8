"""Answers to `dry_run`: what an order, an amend or a basket would come to, in the words of the wire. Costs the same tokens as the command."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from exchange.gateway.answers import AVERAGE_EXTRA_DECIMALS
from exchange.gateway.hub import as_records
from exchange.protocol import messages as m
from exchange.protocol.decimals import format_decimal
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.reject_codes import MESSAGES, RejectCode
from exchange.units import divide_half_even

if TYPE_CHECKING:
    from exchange.gateway.connection import Connection
    from exchange.gateway.validate import Listed
    from exchange.order_path.dry_run import Trial


def answer_order(connection: "Connection", request: m.Place | m.Amend, record: bytes, spec: InstrumentSpec) -> None:
    (trial,) = _tried(connection, [record])
    connection.session.answer(request, _result(trial, spec, connection.hub.exchange.last_sequence))


def answer_basket(connection: "Connection", request: m.PlaceBasket, records: list[bytes], listed: "Sequence[Listed | None]") -> None:
    as_of_seq = connection.hub.exchange.last_sequence
    trials = _tried(connection, records)
    legs = [_result(trial, instrument.spec, as_of_seq) for trial, instrument in zip(trials, listed, strict=True) if instrument is not None]
    refused = [(leg, trial.code) for leg, trial in enumerate(trials) if trial.code]
    leg, code = next((entry for entry in refused if entry[1] is not RejectCode.BASKET_REFUSED), (None, RejectCode.ACCEPTED))
    message = MESSAGES[code] if code else ""
    connection.session.answer(request, m.BasketDryRunResult(as_of_seq=as_of_seq, code=int(code), legs=legs, message=message, leg=leg))


def _tried(connection: "Connection", records: list[bytes]) -> "Sequence[Trial]":
    return connection.hub.exchange.dry_run(as_records(records), connection.hub.node.clock.now_ns())


def _result(trial: "Trial", spec: InstrumentSpec, as_of_seq: int) -> m.DryRunResult:
    if trial.code or trial.duplicate:
        message = MESSAGES[trial.code] if trial.code else ""
        return m.DryRunResult(as_of_seq=as_of_seq, code=int(trial.code), message=message, duplicate=trial.duplicate)
    notional = sum(price * lots for price, lots in trial.fills)
    fee_micro = sum(lots * (spec.taker_fee_lot_micro + price * spec.taker_fee_tick_lot_micro) for price, lots in trial.fills)
    return m.DryRunResult(
        as_of_seq=as_of_seq, code=0, status=trial.status, price=format_decimal(trial.price_ticks, spec.price_decimals),
        fills=[m.ExpectedFill(format_decimal(p, spec.price_decimals), format_decimal(q, spec.quantity_decimals)) for p, q in trial.fills],
        filled=format_decimal(trial.filled_lots, spec.quantity_decimals), remaining=format_decimal(trial.remaining_lots, spec.quantity_decimals),
        average_price=_average_price(notional, trial.filled_lots, spec) if trial.fills else None,
        hold_micro=trial.hold_micro, fee_micro=fee_micro, keeps_priority=not trial.enters, interrupts=trial.interrupts,
    )  # fmt: skip


def _average_price(notional: int, lots: int, spec: InstrumentSpec) -> str:
    return format_decimal(divide_half_even(notional * 10**AVERAGE_EXTRA_DECIMALS, lots), spec.price_decimals + AVERAGE_EXTRA_DECIMALS)
