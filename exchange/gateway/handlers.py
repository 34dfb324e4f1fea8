"""What each method other than the order commands does. A handler answers its request at once, or when the node has committed it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from exchange.errors import InputError
from exchange.gateway import queries
from exchange.gateway.auctions import indication_of
from exchange.gateway.auth import logon_problem
from exchange.gateway.baskets import place_basket
from exchange.gateway.identity import Identity, State
from exchange.gateway.market_data import ALL_SYMBOLS
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
    key = hub.exchange.key(params.key_id)
    participant = None if key is None else hub.exchange.account(key.account)
    problem = logon_problem(
        params, key, nonce=connection.nonce, epoch=hub.node.epoch, host=connection.host, wall_ns=hub.wall_ns(), window_ns=hub.limits.logon_window_ns
    )
    if problem is not None or key is None or participant is None:
        connection.session.refuse(request, problem or RejectCode.UNKNOWN_KEY)
        hub.events.logon_refused(problem or RejectCode.UNKNOWN_KEY, None if key is None else key.account, None if key is None else key.key_id)
        connection.logon_failures += 1
        if connection.logon_failures >= hub.limits.max_logon_failures:
            connection.end(problem or RejectCode.UNKNOWN_KEY)
        return
    key_bucket, account_bucket = hub.throttle.buckets(key.key_id, key.account, hub.monotonic_s())
    flags = int(CommandFlag.CANCEL_ON_DISCONNECT) if params.cancel_on_disconnect else 0
    identity = Identity(
        key_id=key.key_id, account=key.account, session=hub.next_session(), scopes=frozenset(key.scopes),
        cancel_on_disconnect=params.cancel_on_disconnect, order_flags=flags, key_bucket=key_bucket, account_bucket=account_bucket,
    )  # fmt: skip
    name, role = participant.name, str(participant.role)

    def opened(answer: "CommandAnswer") -> None:
        code = int(answer.outcome["code"])
        if code:
            connection.state = State.NEW if connection.state is State.LOGGING_ON else connection.state
            connection.session.refuse(request, RejectCode(code), {"sequence": int(answer.outcome["sequence"])})
            return
        hub.events.session_opened(identity)
        connection.log_on(identity)
        result = m.LogonResult(
            session=identity.session, account=identity.account, name=name, role=role, scopes=sorted(identity.scopes), epoch=hub.node.epoch,
            now_ns=hub.node.clock.now_ns(),
        )  # fmt: skip
        connection.session.answer(request, result)

    connection.state = State.LOGGING_ON
    connection.submit(request, pack_command(CommandKind.SESSION_OPENED, identity.account, identity.session, flags=flags), b"", opened)


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
        accepting=hub.node.accepting,
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


def operator_submit(connection: "Connection", request: m.OperatorSubmit) -> None:
    """A business document of the operator."""
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


# Channels


def subscribe(connection: "Connection", request: m.Subscribe) -> None:
    """All channels or none. The answer comes first, then what the channels begin with."""
    params = request.params
    refusal = next((r for r in (_channel_problem(connection, channel) for channel in params.channels) if r is not None), None)
    if refusal is None and params.turns and (connection.identity is None or connection.hub.conductor is None):
        refusal = RejectCode.NOT_LOGGED_ON if connection.identity is None else RejectCode.UNKNOWN_CHANNEL
    if refusal is not None:
        connection.session.refuse(request, refusal)
        return
    feed = connection.hub.publisher.executions
    result = m.SubscribeResult(channels=params.channels)
    if "executions" in params.channels:
        account = _identity(connection).account
        result = m.SubscribeResult(channels=params.channels, execution_seq=feed.last_seq(account), replay_from=feed.replay_from(account))
    connection.session.answer(request, result)
    connection.send_output()
    for channel in params.channels:
        _join_channel(connection, channel, params)


def unsubscribe(connection: "Connection", request: m.Unsubscribe) -> None:
    """Channels that were not subscribed to are ignored."""
    for channel in request.params.channels:
        if channel in connection.channels:
            leave_channel(connection, channel)
    connection.session.answer(request, m.SubscribeResult(channels=request.params.channels))


def _channel_problem(connection: "Connection", channel: str) -> RejectCode | None:
    if channel in {"executions", "blocks"}:
        if connection.identity is None:
            return RejectCode.NOT_LOGGED_ON
        return None if "read" in connection.identity.scopes else RejectCode.SCOPE_MISSING
    if channel in {"ticker", "phases", "auctions", "one_way", "clock", "trades:" + ALL_SYMBOLS}:
        return None
    kind, colon, symbol = channel.partition(":")
    if not colon or kind not in {"book", "trades"}:
        return RejectCode.UNKNOWN_CHANNEL
    return None if connection.hub.exchange.instrument(symbol) is not None else RejectCode.UNKNOWN_INSTRUMENT


def _join_channel(connection: "Connection", channel: str, params: m.SubscribeParams) -> None:
    publisher, outbox = connection.hub.publisher, connection.outbox
    connection.channels.add(channel)
    kind, _, symbol = channel.partition(":")
    if kind == "executions":
        publisher.executions.subscribe(_identity(connection).account, outbox, params.from_seq)
    elif kind == "book":
        instrument = connection.hub.exchange.instrument(symbol)
        assert instrument is not None
        publisher.books.subscribe(instrument.spec, outbox)
    elif kind == "trades":
        publisher.trades.subscribe(symbol, outbox)
    elif kind == "ticker":
        publisher.ticker.subscribe(outbox)
    elif kind == "phases":
        publisher.phases.add(outbox)
    elif kind == "auctions":
        publisher.auctions.subscribe(outbox)
    elif kind == "one_way":
        publisher.one_way.add(outbox)
    elif kind == "blocks":
        publisher.blocks.setdefault(_identity(connection).account, set()).add(outbox)
    else:
        publisher.clock.add(outbox)
        conductor = connection.hub.conductor
        if conductor is not None:
            conductor.join(outbox, takes_part=params.turns)


def leave_channel(connection: "Connection", channel: str) -> None:
    """Undo one subscription."""
    publisher, outbox = connection.hub.publisher, connection.outbox
    connection.channels.discard(channel)
    kind, _, symbol = channel.partition(":")
    if kind == "executions":
        if connection.identity is not None:
            publisher.executions.unsubscribe(connection.identity.account, outbox)
    elif kind == "book":
        publisher.books.unsubscribe(symbol, outbox)
    elif kind == "trades":
        publisher.trades.unsubscribe(symbol, outbox)
    elif kind == "ticker":
        publisher.ticker.unsubscribe(outbox)
    elif kind == "phases":
        publisher.phases.discard(outbox)
    elif kind == "auctions":
        publisher.auctions.unsubscribe(outbox)
    elif kind == "one_way":
        publisher.one_way.discard(outbox)
    elif kind == "blocks":
        publisher.blocks[_identity(connection).account].discard(outbox)
    else:
        publisher.clock.discard(outbox)
        if connection.hub.conductor is not None:
            connection.hub.conductor.leave(outbox)


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
    m.OrdersOpen: orders_open,
    m.Balances: balances,
    m.Positions: positions,
    m.Instruments: instruments,
    m.Auctions: auctions,
    m.Statement: statement,
    m.SettlementReport: settlement_report,
    m.SystemStatus: system_status,
    m.Nominate: nominate,
    m.OperatorSubmit: operator_submit,
    m.Subscribe: subscribe,
    m.Unsubscribe: unsubscribe,
    m.TurnDone: turn_done,
    m.ClockRun: clock_run,
    m.ClockPause: clock_pause,
    **NATIONAL_HANDLERS,
}
