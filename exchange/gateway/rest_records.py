"""Records of the past for REST: asked in a thread, a few questions at once, and an answer also while the database is away."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fastapi import HTTPException

from exchange.errors import HistoryUnavailableError
from exchange.gateway.history import QUESTIONS_MAX
from exchange.gateway.hub import Hub
from exchange.protocol.reject_codes import MESSAGES, RejectCode

T = TypeVar("T")

_RETRY_AFTER_S = "1"


async def read_records(hub: Hub, ask: Callable[[], T]) -> T:
    """What `ask` finds. Raises HTTPException 503 when the records cannot be read now, or when too many ask, those on sockets included: a database
    that hangs may hold a few threads and no more.
    """
    if len(hub.asking) >= QUESTIONS_MAX:
        raise _unavailable(RejectCode.QUEUE_FULL)
    question = object()
    hub.asking.add(question)
    try:
        return await asyncio.to_thread(ask)
    except HistoryUnavailableError:
        raise _unavailable(RejectCode.HISTORY_UNAVAILABLE) from None
    finally:
        hub.asking.discard(question)


def _unavailable(code: RejectCode) -> HTTPException:
    return HTTPException(503, {"code": int(code), "message": MESSAGES[code]}, {"Retry-After": _RETRY_AFTER_S})
