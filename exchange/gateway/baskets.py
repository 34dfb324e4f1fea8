"""Linked baskets at the gateway: the legs of one request become contiguous records, their outcomes one answer."""

from typing import TYPE_CHECKING, Any, Final

from exchange.gateway.answers import order_answer
from exchange.gateway.dry_runs import answer_basket
from exchange.gateway.validate import place_record, quantity_of
from exchange.journal.record import COMMAND, CommandKind
from exchange.protocol import messages as m
from exchange.protocol.reject_codes import RejectCode
from matching.basket import LEGS_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchange.gateway.connection import Connection
    from exchange.gateway.ports import CommandAnswer
    from exchange.gateway.validate import Listed

assert COMMAND.fields is not None
_GROUP_AT: Final = COMMAND.fields["group"][1]


def place_basket(connection: "Connection", request: m.PlaceBasket) -> None:
    """Steps 2 and 3 for all legs, then one contiguous run of commands. A stateless refusal names its leg, and nothing is journaled."""
    identity = connection.identity
    assert identity is not None
    exchange = connection.hub.exchange
    listed = [exchange.instrument(leg.instrument) for leg in request.params.legs]
    records = basket_records(request.params, identity.account, identity.session, listed, identity.order_flags)
    if isinstance(records, tuple):
        connection.session.refuse(request, *records)
        return
    limited = connection.throttle_problem(type(request), len(records))
    if limited is not None:
        connection.session.refuse(request, RejectCode.RATE_LIMITED, limited)
        return
    if request.params.dry_run:
        answer_basket(connection, request, records, listed)
        return
    if not connection.has_room(len(records)):
        connection.session.refuse(request, RejectCode.QUEUE_FULL, {"in_flight": connection.hub.in_flight})
        return

    def committed(answers: "Sequence[CommandAnswer]") -> None:
        results = [
            order_answer(answer.outcome, None if instrument is None else instrument.spec, quantity_of(record))
            for answer, instrument, record in zip(answers, listed, records, strict=True)
        ]
        refusal = basket_refusal(results)
        if refusal is not None:
            connection.session.refuse(request, *refusal)
        else:
            connection.session.answer(request, m.BasketResult(legs=[result for result in results if isinstance(result, m.OrderResult)]))

    connection.submit_many(request, records, committed)


def basket_records(
    params: m.BasketParams, account: int, session: int, listed: "Sequence[Listed | None]", flags: int
) -> list[bytes] | tuple[RejectCode, dict[str, Any]]:
    """Records of all legs, or the code of the first leg that cannot be right and its number. `listed[i]` is the instrument of leg i, or None."""
    legs = params.legs
    if not 1 <= len(legs) <= LEGS_MAX:
        return RejectCode.INVALID_BASKET, {"legs": len(legs)}
    seen: set[str] = set()
    records = []
    for number, (leg, instrument) in enumerate(zip(legs, listed, strict=True)):
        order = m.PlaceParams(
            client_order_id=leg.client_order_id, instrument=leg.instrument, side=leg.side, quantity=leg.quantity, type=leg.type, price=leg.price,
            time_in_force="fok", label=leg.label, deadline_ns=params.deadline_ns,
        )  # fmt: skip
        record = place_record(order, account, session, instrument, flags)
        if not isinstance(record, RejectCode) and leg.instrument in seen:
            record = RejectCode.INVALID_BASKET
        if isinstance(record, RejectCode):
            return record, {"leg": number}
        seen.add(leg.instrument)
        records.append(_as_leg(record, len(legs) if number == 0 else 0))
    return records


def _as_leg(record: bytes, group: int) -> bytes:
    """A packed PLACE as a leg of a basket; `kind` is the first byte."""
    return bytes((CommandKind.BASKET,)) + record[1:_GROUP_AT] + group.to_bytes(2, "little") + record[_GROUP_AT + 2 :]


def basket_refusal(
    results: "Sequence[m.OrderResult | tuple[RejectCode, dict[str, Any]]]",
) -> tuple[RejectCode, dict[str, Any]] | None:
    """Code and data of a refused basket, None of one that was filled: the first leg that says more than that another was refused."""
    refused = [(number, *result) for number, result in enumerate(results) if isinstance(result, tuple)]
    if not refused:
        return None
    number, code, data = next((leg for leg in refused if leg[1] is not RejectCode.BASKET_REFUSED), refused[0])
    return code, {"leg": number, **data}
