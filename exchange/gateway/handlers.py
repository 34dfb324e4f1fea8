"""What each method other than the order commands does. A handler answers its request at once, or when the node has committed it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from exchange.accounts.participants import RegisteredKey
from exchange.errors import InputError
from exchange.gateway import queries
from exchange.gateway.administration import HANDLERS as ADMINISTRATION_HANDLERS
from exchange.gateway.auctions import indication_of
from exchange.gateway.auth import KEY_END_CODES, logon_problem, told
from exchange.gateway.baskets import place_basket
from exchange.gateway.channels import subscribe, unsubscribe
from exchange.gateway.dead_mans_switch import cancel_after
from exchange.gateway.history import HANDLERS as HISTORY_HANDLERS
from exchange.gateway.identity import Identity, State
from exchange.gateway.national import HANDLERS as NATIONAL_HANDLERS
from exchange.gateway.submit import identity_of as _identity
from exchange.gateway.submit import submit_document as _submit_document
from exchange.gateway.validate import is_client_order_id, pack_command
from exchange.journal.record import CommandFlag, CommandKind
from exchange.protocol import messages as m
from exchange.protocol.decimals import parse_signed_decimal
from exchange.protocol.documents import DOCUMENTS, Nominate, document_from_wire
from exchange.protocol.reject_codes import RejectCode

if TYPE_CHECKING:
    from exchange.gateway.connection import Connection
    from exchange.gateway.ports import CommandAnswer

_WH_DECIMALS: Final = 3  # of a kWh


def logon(connection: "Connection", request: m.Logon) -> None:
    """Check the signature, then journal the opening of the session; the answer comes when that is durable."""
    hub, params = connection.hub, request.params
    if connection.state is not State.NEW:
        connection.session.refuse(request, RejectCode.ALREADY_LOGGED_ON)
        return
    wait_s = hub.guard.wait_s(connection.address, params.key_id, hub.monotonic_s())
    if wait_s:
        _refuse_logon(connection, request, RejectCode.LOGON_LOCKED, None, {"retry_after_ms": int(wait_s * 1000) + 1})
        return
    ended = hub.exchange.ended_key(params.key_id)
    key = hub.exchange.key(params.key_id) or (None if ended is None else ended.key)
    participant = None if key is None else hub.exchange.account(key.account)
    problem = logon_problem(
        params, key, nonce=connection.nonce, epoch=hub.node.epoch, host=connection.host, wall_ns=hub.wall_ns(), window_ns=hub.limits.logon_window_ns
    )
    if problem is not None or key is None or participant is None:
        hub.guard.failed(connection.address, hub.monotonic_s())
        _refuse_logon(connection, request, problem or RejectCode.UNKNOWN_KEY, key)
        return
    hub.guard.succeeded(connection.address, key.key_id)
    if ended is not None:
        _refuse_logon(connection, request, KEY_END_CODES[str(ended.reason)], key)
        return
    if not connection.count_key(key.key_id):
        _refuse_logon(connection, request, RejectCode.TOO_MANY_SESSIONS, key, {"sessions": hub.limits.max_sessions_per_key})
        return
    key_bucket, account_bucket = hub.throttle.buckets(key.key_id, key.account, hub.monotonic_s())
    flags = int(CommandFlag.CANCEL_ON_DISCONNECT) if params.cancel_on_disconnect else 0
    identity = Identity(
        key_id=key.key_id, account=key.account, session=hub.next_session(), scopes=frozenset(key.scopes),
        cancel_on_disconnect=params.cancel_on_disconnect, order_flags=flags, key_bucket=key_bucket, account_bucket=account_bucket,
        key_number=key.number,
    )  # fmt: skip
    name, role = participant.name, str(participant.role)

    def opened(answer: "CommandAnswer") -> None:
        code = int(answer.outcome["code"])
        if code:
            connection.count_key("")
            connection.state = State.NEW if connection.state is State.LOGGING_ON else connection.state
            connection.session.refuse(request, RejectCode(code), {"sequence": int(answer.outcome["sequence"])})
            return
        hub.events.session_opened(identity)
        connection.log_on(identity)
        hub.note_security("logon", key_id=identity.key_id, account=identity.account, session=identity.session, address=connection.address)
        result = m.LogonResult(
            session=identity.session, account=identity.account, name=name, role=role, scopes=sorted(identity.scopes), epoch=hub.node.epoch,
            now_ns=hub.node.clock.now_ns(),
        )  # fmt: skip
        connection.session.answer(request, result)

    connection.state = State.LOGGING_ON
    record = pack_command(CommandKind.SESSION_OPENED, identity.account, identity.session, flags=flags, order_id=identity.key_number)
    connection.submit(request, record, b"", opened)


def _refuse_logon(
    connection: "Connection", request: m.Logon, code: RejectCode, key: RegisteredKey | None, data: dict[str, Any] | None = None
) -> None:
    """Refuse, remember, and end a connection that goes on trying. `key`: the registered one that was named."""
    hub = connection.hub
    hub.events.logon_refused(code, None if key is None else key.account, None if key is None else key.key_id)
    hub.note_security("logon_refused", key_id=request.params.key_id[:64], address=connection.address, code=int(code), **(data or {}))
    connection.session.refuse(request, told(code), data)
    connection.logon_failures += 1
    if connection.logon_failures >= hub.limits.max_logon_failures:
        connection.end(told(code))


def orders_open(connection: "Connection", request: m.OrdersOpen) -> None:
    exchange = connection.hub.exchange
    connection.session.answer(request, queries.open_orders_result(exchange, _identity(connection).account, request.params.instrument))


def balances(connection: "Connection", request: m.Balances) -> None:
    connection.session.answer(request, queries.balances_result(connection.hub.exchange, _identity(connection).account))


def positions(connection: "Connection", request: m.Positions) -> None:
    exchange = connection.hub.exchange
    connection.session.answer(request, queries.positions_result(exchange, _identity(connection).account, request.params.instrument))


def instruments(connection: "Connection", request: m.Instruments) -> None:
    connection.session.answer(request, queries.instruments_result(connection.hub.exchange, request.params.class_))


def auctions(connection: "Connection", request: m.Auctions) -> None:
    """The call phases that are on; of an instrument that is in none, or not listed, nothing."""
    exchange, symbol = connection.hub.exchange, request.params.instrument
    found = (indication_of(exchange, i) for i in exchange.instruments() if symbol is None or i.symbol == symbol)
    connection.session.answer(request, m.AuctionsResult(auctions=[indication for indication in found if indication is not None]))


def statement(connection: "Connection", request: m.Statement) -> None:
    day = request.params.day
    found = connection.hub.exchange.statement(_identity(connection).account, day)
    connection.session.answer(request, m.StatementResult(day=day, statement=found))


def settlement_report(connection: "Connection", request: m.SettlementReport) -> None:
    day = request.params.day
    connection.session.answer(request, m.SettlementResult(day=day, settlement=connection.hub.exchange.settlement(day)))


def system_status(connection: "Connection", request: m.SystemStatus) -> None:
    hub = connection.hub
    result = m.StatusResult(
        epoch=hub.node.epoch, sequence=hub.exchange.last_sequence, now_ns=hub.node.clock.now_ns(), sessions=len(hub.connections),
        accepting=hub.node.accepting, clock_in_doubt=hub.node.clock.in_doubt,
    )  # fmt: skip
    connection.session.answer(request, result)


# Business commands


def nominate(connection: "Connection", request: m.Nominate) -> None:
    """A storage schedule; the account is the session's."""
    params = request.params
    injection_wh = parse_signed_decimal(params.injection, _WH_DECIMALS)
    if injection_wh is None:
        connection.session.refuse(request, RejectCode.INVALID_DECIMAL)
    elif params.client_order_id is not None and not is_client_order_id(params.client_order_id):
        connection.session.refuse(request, RejectCode.INVALID_CLIENT_ORDER_ID)
    elif connection.hub.exchange.instrument(params.instrument) is None:
        connection.session.refuse(request, RejectCode.UNKNOWN_INSTRUMENT)
    else:
        document = Nominate(account=_identity(connection).account, symbol=params.instrument, injection_wh=injection_wh)
        _submit_document(connection, request, document, params.client_order_id or "")


def submit(connection: "Connection", request: m.OperatorSubmit | m.DocumentSubmit) -> None:
    """A business document. Which role may send which is decided after the journal, where it replays."""
    params = request.params
    if params.client_order_id is not None and not is_client_order_id(params.client_order_id):
        connection.session.refuse(request, RejectCode.INVALID_CLIENT_ORDER_ID)
        return
    if params.schema not in DOCUMENTS:
        connection.session.refuse(request, RejectCode.UNKNOWN_DOCUMENT, {"schemas": sorted(DOCUMENTS)})
        return
    try:
        document = document_from_wire(params.schema, params.document)
    except InputError:
        fields = list(DOCUMENTS[params.schema].__struct_encode_fields__)
        connection.session.refuse(request, RejectCode.INVALID_DOCUMENT, {"fields": fields})
        return
    _submit_document(connection, request, document, params.client_order_id or "")


# The market clock


def turn_done(connection: "Connection", request: m.TurnDone) -> None:
    conductor = connection.hub.conductor
    if conductor is None:
        connection.session.refuse(request, RejectCode.NOT_ACCEPTING)
        return
    conductor.done(connection.outbox, request.params.turn)
    connection.session.answer(request, m.TurnResult(turn=conductor.turn))


def clock_run(connection: "Connection", request: m.ClockRun) -> None:
    conductor = connection.hub.conductor
    if conductor is None:
        connection.session.refuse(request, RejectCode.NOT_ACCEPTING)
        return
    conductor.run(request.params.speed)
    connection.hub.events.clock_changed(_identity(connection), "run")
    connection.session.answer(request, m.TurnResult(turn=conductor.turn))


def clock_pause(connection: "Connection", request: m.ClockPause) -> None:
    conductor = connection.hub.conductor
    if conductor is None:
        connection.session.refuse(request, RejectCode.NOT_ACCEPTING)
        return
    conductor.pause()
    connection.hub.events.clock_changed(_identity(connection), "pause")
    connection.session.answer(request, m.TurnResult(turn=conductor.turn))


HANDLERS: Final[dict[type[m.Request], Callable[["Connection", Any], None]]] = {
    m.Logon: logon,
    m.PlaceBasket: place_basket,
    m.CancelAfter: cancel_after,
    m.OrdersOpen: orders_open,
    m.Balances: balances,
    m.Positions: positions,
    m.Instruments: instruments,
    m.Auctions: auctions,
    m.Statement: statement,
    m.SettlementReport: settlement_report,
    m.SystemStatus: system_status,
    m.Nominate: nominate,
    m.OperatorSubmit: submit,
    m.DocumentSubmit: submit,
    m.Subscribe: subscribe,
    m.Unsubscribe: unsubscribe,
    m.TurnDone: turn_done,
    m.ClockRun: clock_run,
    m.ClockPause: clock_pause,
    **NATIONAL_HANDLERS,
    **HISTORY_HANDLERS,
    **ADMINISTRATION_HANDLERS,
}
