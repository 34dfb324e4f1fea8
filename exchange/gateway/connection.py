"""One connection: the way of a request from frame to answer, without a transport.

    frame -> connection's bucket -> decode (protocol.session) -> validate -> key's and account's bucket -> node -> answer

All frames of one socket read are given to `receive_text` and then to one `process`: their orders reach the node as one contiguous array.
Invariant: every request is answered exactly once, also when the node fails; nothing a client sends raises here.
"""

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from exchange.errors import JournalError, ParkexError
from exchange.gateway import handlers
from exchange.gateway.access import PUBLIC_DATA, SCOPES
from exchange.gateway.answers import order_answer
from exchange.gateway.auth import new_nonce
from exchange.gateway.hub import as_records
from exchange.gateway.identity import Identity, State
from exchange.gateway.outbox import Outbox
from exchange.gateway.throttle import COSTS, TokenBucket, take_both
from exchange.gateway.validate import amend_record, cancel_record, mass_cancel_record, place_record, quantity_of
from exchange.protocol import messages as m
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.session import ServerSession
from exchange.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exchange.gateway.hub import Hub
    from exchange.gateway.ports import CommandAnswer

logger = logging.getLogger("parkex.gateway")

_T = TypeVar("_T")

_FRAME_COST: Final = 1.0


class Connection:
    """Owned by an adapter, which calls `opened`, `receive_text`, `receive_binary`, `process` and `disconnected`, and sends what `outbox` holds.

    `wake` is called when the outbox has something or `end_code` was set.
    """

    def __init__(self, hub: "Hub", host: str, wake: "Callable[[], None]") -> None:
        self.hub = hub
        self.host = host
        self.nonce = new_nonce()
        self.session = ServerSession(hub.limits.frame_bytes, hub.events.refused)
        self.outbox = Outbox(hub.limits, wake)
        self.state = State.NEW
        self.identity: Identity | None = None
        self.logon_failures = 0
        self.received_bytes = 0
        self.channels: set[str] = set()
        self._wake = wake
        self._end_code: RejectCode | None = None
        self._batch_began_ns = 0
        self._frames = TokenBucket("connection", hub.limits.connection, hub.monotonic_s())
        self._gathered: list[tuple[m.Request, bytes, InstrumentSpec | None]] = []

    @property
    def end_code(self) -> RejectCode | None:
        """Why the adapter has to close the transport; None while the connection lives."""
        return RejectCode.SESSION_BACKLOG if self.outbox.overflowed else self._end_code

    def opened(self) -> None:
        """The transport is up: the challenge is the first frame."""
        self.hub.add(self)
        challenge = m.Challenge(nonce=self.nonce, epoch=self.hub.node.epoch, server_time_ns=self.hub.wall_ns(), host=self.host)
        self.session.notify("challenge", challenge)
        self.send_output()

    def receive_text(self, frame: bytes) -> None:
        """One text frame; it is decoded now and acted on in `process`."""
        if not self._batch_began_ns:
            self._batch_began_ns = time.perf_counter_ns()
        self.received_bytes += len(frame)
        if self._frames.take(_FRAME_COST, self.hub.monotonic_s()):
            self.session.receive_data(frame)
        else:
            self.session.turn_away(frame, RejectCode.RATE_LIMITED, self._frames.refusal(_FRAME_COST))

    def receive_binary(self) -> None:
        """A binary frame is refused, whatever it holds."""
        self._frames.take(_FRAME_COST, self.hub.monotonic_s())
        self.session.refuse_frame(RejectCode.BINARY_FRAME)

    def process(self) -> None:
        """Act on all frames received since the last call, as one batch."""
        if self.state is State.CLOSED:
            return
        for request in self.session.events_received():
            self._dispatch(request)
        self._submit_gathered()
        self.send_output()
        if self._batch_began_ns:
            self.hub.node.stages.observe(Stage.DECODE, time.perf_counter_ns() - self._batch_began_ns)
            self._batch_began_ns = 0

    def disconnected(self) -> None:
        """The transport is gone: end subscriptions and, if there is one, the session."""
        state, self.state = self.state, State.CLOSED
        if state is State.CLOSED:
            return
        for channel in list(self.channels):
            handlers.leave_channel(self, channel)
        self.hub.remove(self)
        self.hub.events.connection_closed(self)
        if state is State.LOGGED_ON and self.identity is not None:
            self._close_session(self.identity)

    def end(self, code: RejectCode) -> None:
        """Ask the adapter to close the transport after what is queued."""
        self._end_code = code
        self._wake()

    def end_if_revoked(self) -> None:
        if self.identity is not None and self.hub.exchange.key(self.identity.key_id) is None:
            self.end(RejectCode.UNKNOWN_KEY)

    def heartbeat(self) -> None:
        """Last sequence of every sequenced channel of this connection."""
        seqs = {}
        for channel in sorted(self.channels):
            if channel == "executions" and self.identity is not None:
                seqs[channel] = self.hub.publisher.executions.last_seq(self.identity.account)
            elif channel.startswith("book:"):
                seqs[channel] = self.hub.publisher.books.seq(channel[5:])
        self.session.notify("heartbeat", m.Heartbeat(now_ns=self.hub.node.clock.now_ns(), seqs=seqs))
        self.send_output()

    def send_output(self) -> None:
        """Move what the session has to say to the outbox."""
        self.outbox.put_answers(self.session.data_to_send())

    def submit(self, request: m.Request, record: bytes, document: bytes, answer: "Callable[[CommandAnswer], None]") -> None:
        """Hand one record to the node; `answer` is called when it is committed, and has to answer the request."""
        self._submit_gathered()
        try:
            future = asyncio.ensure_future(self.hub.node.submit(as_records([record]), document))
        except Exception as error:  # noqa: BLE001 - whatever the node raises, the request gets its answer
            self._refuse_failed(request, error)
            return
        self.hub.in_flight += 1
        future.add_done_callback(partial(self._committed, request, answer))

    def submit_many(self, request: m.Request, records: list[bytes], answer: "Callable[[Sequence[CommandAnswer]], None]") -> None:
        """As `submit`, for the contiguous records of one request."""
        self._submit_gathered()
        try:
            together = asyncio.gather(*self.hub.node.submit_many(as_records(records)))
        except Exception as error:  # noqa: BLE001 - whatever the node raises, the request gets its answer
            self._refuse_failed(request, error)
            return
        self.hub.in_flight += len(records)

        def committed(future: "asyncio.Future[list[CommandAnswer]]") -> None:
            self.hub.in_flight -= len(records)
            self._finish(request, answer, future)

        together.add_done_callback(committed)

    def has_room(self, n_commands: int) -> bool:
        """Whether the node's queue can take more commands of this gateway."""
        return self.hub.in_flight + n_commands <= self.hub.limits.max_in_flight

    def log_on(self, identity: Identity) -> None:
        """The opening of the session is committed. If the transport has gone meanwhile, the session ends at once."""
        self.identity = identity
        if self.state is State.CLOSED:
            self._close_session(identity)
            return
        self.state = State.LOGGED_ON
        if "operate" in identity.scopes:
            self.session.frame_limit_bytes = self.hub.limits.operator_frame_bytes

    # Dispatch

    def _dispatch(self, request: m.Request) -> None:
        kind = type(request)
        refusal = self._access_problem(kind)
        if refusal is not None:
            self.session.refuse(request, *refusal)
            return
        if kind in _ORDER_REQUESTS:
            self._gather(request)
            return
        self._submit_gathered()
        unanswered = self.session.unanswered
        try:
            handlers.HANDLERS[kind](self, request)
        except Exception as error:  # noqa: BLE001 - a bug behind a method must not take the connection along
            if self.session.unanswered == unanswered:
                self._refuse_failed(request, error)

    def _access_problem(self, kind: type[m.Request]) -> tuple[RejectCode, dict[str, Any] | None] | None:
        if self.state is not State.LOGGED_ON or self.identity is None:
            is_open = not SCOPES[kind] and (self.hub.limits.anonymous_market_data or kind not in PUBLIC_DATA)
            return None if is_open else (RejectCode.NOT_LOGGED_ON, None)
        scopes = SCOPES[kind]
        if scopes and scopes.isdisjoint(self.identity.scopes):
            return RejectCode.SCOPE_MISSING, {"scopes": sorted(scopes)}
        return None

    def throttle_problem(self, kind: type[m.Request], n_commands: int = 1) -> dict[str, Any] | None:
        """Data of a RATE_LIMITED error, or None after the tokens were taken."""
        identity = self.identity
        assert identity is not None
        cost = COSTS[kind] * n_commands
        bucket = take_both(identity.key_bucket, identity.account_bucket, cost, self.hub.monotonic_s())
        return None if bucket is None else bucket.refusal(cost)

    # Orders

    def _gather(self, request: m.Request) -> None:
        """Steps 2 and 3 for an order command; what passes waits for the end of the batch."""
        record, spec = self._validate(request)
        if isinstance(record, RejectCode):
            self.session.refuse(request, record)
            return
        limited = self.throttle_problem(type(request))
        if limited is not None:
            self.session.refuse(request, RejectCode.RATE_LIMITED, limited)
        elif not self.has_room(len(self._gathered) + 1):
            self.session.refuse(request, RejectCode.QUEUE_FULL, {"in_flight": self.hub.in_flight})
        else:
            self._gathered.append((request, record, spec))

    def _validate(self, request: m.Request) -> tuple[bytes | RejectCode, InstrumentSpec | None]:
        """Record or code, and the instrument in whose decimals the answer speaks."""
        identity = self.identity
        assert identity is not None
        exchange = self.hub.exchange
        if isinstance(request, m.Place):
            listed = exchange.instrument(request.params.instrument)
            record = place_record(request.params, identity.account, identity.session, listed, identity.order_flags)
        elif isinstance(request, m.Amend):
            listed = exchange.instrument(request.params.instrument)
            record = amend_record(request.params, identity.account, identity.session, listed)
        elif isinstance(request, m.Cancel):
            record = cancel_record(request.params, identity.account, identity.session)
            listed = None
        else:
            assert isinstance(request, m.MassCancel)
            symbol = request.params.instrument
            record = mass_cancel_record(request.params, identity.account, identity.session, None if symbol is None else exchange.instrument(symbol))
            listed = None
        return record, None if listed is None else listed.spec

    def _submit_gathered(self) -> None:
        gathered, self._gathered = self._gathered, []
        if not gathered:
            return
        try:
            answers = self.hub.node.submit_many(as_records([record for _, record, _ in gathered]))
        except Exception as error:  # noqa: BLE001 - whatever the node raises, each request gets its answer
            for request, _, _ in gathered:
                self._refuse_failed(request, error)
            return
        self.hub.in_flight += len(gathered)
        futures: list[asyncio.Future[CommandAnswer]] = [asyncio.ensure_future(answer) for answer in answers]
        # The node answers in the order of submission, so the last answer brings the others with it.
        futures[-1].add_done_callback(partial(self._batch_committed, gathered, futures))

    def _batch_committed(
        self, gathered: "list[tuple[m.Request, bytes, InstrumentSpec | None]]", futures: "list[asyncio.Future[CommandAnswer]]", _: object
    ) -> None:
        for (request, record, spec), future in zip(gathered, futures, strict=True):
            respond = partial(self._answer_order, request, spec, quantity_of(record))
            if future.done():
                self._respond(request, respond, future)
            else:
                future.add_done_callback(partial(self._committed, request, respond))
        if self.state is not State.CLOSED:
            self.send_output()

    def _committed(self, request: m.Request, answer: "Callable[[CommandAnswer], None]", future: "asyncio.Future[CommandAnswer]") -> None:
        self._respond(request, answer, future)
        if self.state is not State.CLOSED:
            self.send_output()

    def _finish(self, request: m.Request, answer: "Callable[[_T], None]", future: "asyncio.Future[_T]") -> None:
        self._answer_with(request, answer, future)
        if self.state is not State.CLOSED:
            self.send_output()

    def _respond(self, request: m.Request, answer: "Callable[[CommandAnswer], None]", future: "asyncio.Future[CommandAnswer]") -> None:
        self.hub.in_flight -= 1
        self._answer_with(request, answer, future)

    def _answer_with(self, request: m.Request, answer: "Callable[[_T], None]", future: "asyncio.Future[_T]") -> None:
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or error is not None:
            self._refuse_failed(request, error)
        else:
            answer(future.result())

    def _answer_order(self, request: m.Request, spec: InstrumentSpec | None, lots: int, answer: "CommandAnswer") -> None:
        result = order_answer(answer.outcome, spec, lots)
        if isinstance(result, m.OrderResult):
            self.session.answer(request, result)
        else:
            self.session.refuse(request, *result)

    def _refuse_failed(self, request: m.Request, error: BaseException | None) -> None:
        """The node did not take or did not keep a command."""
        code = getattr(error, "code", None)
        if not isinstance(code, RejectCode):
            code = RejectCode.JOURNAL_FAILED if isinstance(error, JournalError) else RejectCode.NOT_ACCEPTING
            if error is not None and not isinstance(error, ParkexError):
                logger.error("a command failed inside the node", exc_info=error)
        self.session.refuse(request, code)

    def _close_session(self, identity: Identity) -> None:
        self.hub.close_session(identity.account, identity.session, cancel_on_disconnect=identity.cancel_on_disconnect)


_ORDER_REQUESTS: Final = frozenset({m.Place, m.Amend, m.Cancel, m.MassCancel})
