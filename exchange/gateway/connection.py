"""One connection: the way of a request from frame to answer, without a transport.

    frame -> connection's bucket -> decode (protocol.session) -> validate -> key's and account's bucket -> node -> answer

All frames of one socket read are given to `receive_text` or `receive_binary` and then to one `process`: their orders reach the node as one
contiguous array.
Invariant: every request is answered exactly once, also when the node fails; nothing a client sends raises here.
"""

import asyncio
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from exchange.gateway import handlers
from exchange.gateway.access import PUBLIC_DATA, SCOPES
from exchange.gateway.answers import failure_code, order_answer
from exchange.gateway.auth import new_nonce
from exchange.gateway.channels import last_seqs, leave_channel
from exchange.gateway.dry_runs import answer_order
from exchange.gateway.hub import as_records
from exchange.gateway.identity import Identity, State
from exchange.gateway.outbox import Outbox
from exchange.gateway.throttle import COSTS, TokenBucket, take_both
from exchange.gateway.usual.orders import is_usual_candidate
from exchange.gateway.validate import amend_record, cancel_record, mass_cancel_record, place_record, quantity_of
from exchange.protocol import messages as m
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.encoding import JSON, Encoding
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.session import ServerSession
from exchange.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from exchange.gateway.hub import Hub
    from exchange.gateway.outbox import Write
    from exchange.gateway.ports import CommandAnswer

    Submit = Callable[[NDArray[np.void], bytes], Awaitable[CommandAnswer]]

_T = TypeVar("_T")

_FRAME_COST: Final = 1.0


class Connection:
    """Owned by an adapter, which calls `opened`, `receive_text`, `receive_binary`, `process` and `disconnected`, and sends what `outbox` holds.

    `wake` is called when the outbox has something or `end_code` was set.
    """

    def __init__(
        self, hub: "Hub", host: str, wake: "Callable[[], None]", encoding: Encoding = JSON, address: str = "", write: "Write | None" = None
    ) -> None:
        """`write` as in Outbox."""
        self.hub = hub
        self.host = host
        self.address = address
        self.nonce = new_nonce()
        self.session = ServerSession(hub.limits.frame_bytes, encoding, hub.events.refused)
        self.outbox = Outbox(hub.limits, wake, encoding, write)
        self.state = State.NEW
        self.identity: Identity | None = None
        self.logon_failures = 0
        self.received_bytes = 0
        self.channels: set[str] = set()
        self._judged: Identity | None = None  # of whom `_may_trade` is said
        self._may_trade = False
        self._wake = wake
        self._end_code: RejectCode | None = None
        self._batch_began_ns = 0
        self._counted_key = ""
        self._opened_s = hub.monotonic_s()
        self._turned_away = 0
        self._frames = TokenBucket("connection", hub.limits.connection, self._opened_s)
        self._received: list[bytes] = []
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
        """One text frame; `process` acts on it. Refused where the encoding is a binary one."""
        self.receive_frames([frame], is_binary=False)

    def receive_binary(self, frame: bytes) -> None:
        """One binary frame, as `receive_text`. Refused where the encoding is text, whatever it holds."""
        self.receive_frames([frame], is_binary=True)

    def receive_frames(self, frames: list[bytes], *, is_binary: bool) -> None:
        """Frames of one socket read, in order, all of one kind."""
        if not self._batch_began_ns:
            self._batch_began_ns = time.perf_counter_ns()
        self.received_bytes += sum(map(len, frames))
        encoding = self.session.encoding
        if is_binary is encoding.is_binary:
            self._received += frames
            return
        for _ in frames:
            self._frames.take(_FRAME_COST, self.hub.monotonic_s())
            self.session.refuse_frame(encoding.wrong_frame)

    def act_on(self, frames: list[bytes], *, is_binary: bool) -> None:
        """`receive_frames` and `process` in one, with a short way for what nearly all reads hold: orders of somebody who may send them."""
        if (
            not self.may_trade or is_binary or self._received or self.session.encoding.is_binary or self.outbox.overflowed
            or not is_usual_candidate(frames[0]) or not self._frames.take(_FRAME_COST * len(frames), self.hub.monotonic_s())
        ):  # fmt: skip
            self.receive_frames(frames, is_binary=is_binary)
            self.process()
            return
        self.received_bytes += len(frames[0]) if len(frames) == 1 else sum(map(len, frames))
        self.session.unanswered += len(frames)
        usual = self.hub.usual
        if not usual.began_ns:
            usual.began_ns = time.perf_counter_ns()
        usual.put(self, frames)

    def process(self) -> None:
        """Act on all frames received since the last call, as one batch."""
        if self.state is State.CLOSED:
            return
        frames, self._received = self._received, []
        n_taken = self._frames.take_some(_FRAME_COST, len(frames), self.hub.monotonic_s())
        self._read(frames[:n_taken] if n_taken < len(frames) else frames)
        for frame in frames[n_taken:]:
            self._turn_away(frame)
        self._submit_gathered()
        self.send_output()
        if self._batch_began_ns:
            self.hub.node.stages.observe(Stage.DECODE, time.perf_counter_ns() - self._batch_began_ns)
            self._batch_began_ns = 0

    def _turn_away(self, frame: bytes) -> None:
        self.session.turn_away(frame, RejectCode.RATE_LIMITED, self._frames.refusal(_FRAME_COST))
        self._turned_away += 1
        if self._turned_away >= self.hub.limits.turned_away_frames:
            self.end(RejectCode.RATE_LIMITED)

    def read_on(self, frames: list[bytes], n_ordinary: int) -> None:
        """Go on with frames of a batch: so many one by one, then as in `process`."""
        self.session.claim(-len(frames))
        for frame in frames[:n_ordinary]:
            self._read_frame(frame)
        self._read(frames[n_ordinary:])
        self._submit_gathered()
        self.send_answers()

    @property
    def is_up(self) -> bool:
        """Whether the transport is there."""
        return self.state is not State.CLOSED

    def deliver(self, framed: bytes, n_messages: int) -> None:
        """Answers that are framed already, behind what the session has said."""
        session = self.session
        session.unanswered -= n_messages
        if self.state is not State.CLOSED:
            if session.has_output:
                self.send_output()
            self.outbox.put_framed(framed, n_messages)

    def disconnected(self) -> None:
        """The transport is gone: end subscriptions and, if there is one, the session. What has been read is acted on before."""
        self.hub.usual.flush()
        state, self.state = self.state, State.CLOSED
        if state is State.CLOSED:
            return
        self._may_trade = False
        for channel in list(self.channels):
            leave_channel(self, channel)
        self.hub.remove(self)
        self.count_key("")
        self.hub.events.connection_closed(self)
        if state is State.LOGGED_ON and self.identity is not None:
            self._close_session(self.identity)

    def end(self, code: RejectCode) -> None:
        """Ask the adapter to close the transport after what is queued."""
        self._end_code = code
        self._wake()

    def end_if_key(self, key_id: str, code: RejectCode) -> None:
        """End a session of that key, saying why."""
        if self.identity is not None and self.identity.key_id == key_id and self._end_code is None:
            self.hub.note_security("session_ended", key_id=key_id, address=self.address, session=self.identity.session, code=int(code))
            self.end(code)

    def count_key(self, key_id: str) -> bool:
        """Count this connection to a key, "" for none any more; False when the key has as many as it may have."""
        if self._counted_key:
            self.hub.guard.close_session(self._counted_key)
        self._counted_key = key_id if key_id and self.hub.guard.open_session(key_id) else ""
        return self._counted_key == key_id

    def end_if_idle(self, now_s: float) -> None:
        """A connection that is nobody's and listens to nothing may not stay."""
        if self.identity is None and not self.channels and now_s - self._opened_s > self.hub.limits.logon_timeout_s:
            self.end(RejectCode.LOGON_OVERDUE)

    def heartbeat(self) -> None:
        """Last sequence of every sequenced channel of this connection."""
        self.session.notify("heartbeat", m.Heartbeat(now_ns=self.hub.node.clock.now_ns(), seqs=last_seqs(self)))
        self.send_output()

    def send_output(self) -> None:
        """Move what the session has to say to the outbox."""
        self.outbox.put_answers(self.session.data_to_send())

    def send_answers(self) -> None:
        """As `send_output`, unless the transport is gone."""
        if self.state is not State.CLOSED:
            self.send_output()

    def submit(
        self, request: m.Request, record: bytes, document: bytes, answer: "Callable[[CommandAnswer], None]", send: "Submit | None" = None
    ) -> None:
        """Hand one record to the node, to its `submit` or to `send`; `answer` is called when it is committed, and has to answer the request."""
        self._submit_gathered()
        try:
            future = asyncio.ensure_future((send or self.hub.node.submit)(as_records([record]), document))
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

    def answer_later(self, request: m.Request, found: "Awaitable[_T]", answer: "Callable[[_T], None]") -> None:
        """`answer` is called with what another thread has found, and has to answer the request."""
        asyncio.ensure_future(found).add_done_callback(partial(self._finish, request, answer))

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
        key = self.hub.exchange.key(identity.key_id)
        if key is None or key.scopes != identity.scopes:  # it changed while the opening was on its way
            self.end_if_key(identity.key_id, RejectCode.KEY_CHANGED if key is not None else RejectCode.KEY_REVOKED)
        if "operate" in identity.scopes:
            self.session.frame_limit_bytes = self.hub.limits.operator_frame_bytes

    # Dispatch

    def _read(self, frames: list[bytes]) -> None:
        """Act on frames in their order: from the first that may be a usual order on together with those of others, everything before one by one."""
        is_text = not self.session.encoding.is_binary
        for index, frame in enumerate(frames):
            if self.outbox.overflowed:
                return
            if is_text and is_usual_candidate(frame) and self.may_trade:
                self._submit_gathered()
                rest = frames[index:] if index else frames
                self.session.claim(len(rest))
                self.hub.usual.put(self, rest)
                return
            self.hub.usual.flush()  # what this connection has asked for before
            self._read_frame(frame)

    def _read_frame(self, frame: bytes) -> None:
        """Decode one frame and act on it."""
        self.session.receive_data(frame)
        for request in self.session.events_received():
            self._dispatch(request)

    @property
    def may_trade(self) -> bool:
        """Whether order commands of this connection are let in. Who is logged on does not change, so it is worked out once."""
        if self.identity is not self._judged:
            self._judged = self.identity
            self._may_trade = self._access_problem(m.Place) is None
        return self._may_trade

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
            # Some answers are a thousand times as long as their questions: what waits is counted as it grows.
            self.send_output()
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
        elif isinstance(request, m.Place | m.Amend) and request.params.dry_run:
            assert spec is not None
            answer_order(self, request, record, spec)
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
        if listed is not None:
            self.hub.usual.symbols.learn(listed.spec.symbol, listed)
        return record, None if listed is None else listed.spec

    def _submit_gathered(self) -> None:
        gathered, self._gathered = self._gathered, []
        if not gathered:
            return
        waiting = deque(gathered)
        self.hub.in_flight += len(gathered)

        def done(outcomes: "NDArray[np.void]", _: dict[int, dict[str, Any]]) -> None:
            self.hub.in_flight -= len(outcomes)
            for outcome in outcomes:
                request, record, spec = waiting.popleft()
                self._answer_order(request, spec, quantity_of(record), outcome)
            self.send_answers()

        def failed(error: Exception) -> None:
            self.hub.in_flight -= len(waiting)
            while waiting:
                self._refuse_failed(waiting.popleft()[0], error)
            self.send_answers()

        try:
            self.hub.node.submit_batch(as_records([record for _, record, _ in gathered]), done, failed)
        except Exception as error:  # noqa: BLE001 - whatever the node raises, each request gets its answer
            failed(error)

    def _committed(self, request: m.Request, answer: "Callable[[CommandAnswer], None]", future: "asyncio.Future[CommandAnswer]") -> None:
        self.hub.in_flight -= 1
        self._answer_with(request, answer, future)
        self.send_answers()

    def _finish(self, request: m.Request, answer: "Callable[[_T], None]", future: "asyncio.Future[_T]") -> None:
        self._answer_with(request, answer, future)
        self.send_answers()

    def _answer_with(self, request: m.Request, answer: "Callable[[_T], None]", future: "asyncio.Future[_T]") -> None:
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or error is not None:
            self._refuse_failed(request, error)
        else:
            answer(future.result())

    def _answer_order(self, request: m.Request, spec: InstrumentSpec | None, lots: int, outcome: "np.void") -> None:
        result = order_answer(outcome, spec, lots)
        if isinstance(result, m.OrderResult):
            self.session.answer(request, result)
        else:
            self.session.refuse(request, *result)

    def _refuse_failed(self, request: m.Request, error: BaseException | None) -> None:
        self.session.refuse(request, failure_code(error))

    def _close_session(self, identity: Identity) -> None:
        self.hub.close_session(identity.account, identity.session, identity.key_number, cancel_on_disconnect=identity.cancel_on_disconnect)


_ORDER_REQUESTS: Final = frozenset({m.Place, m.Amend, m.Cancel, m.MassCancel})
