"""Trading phases of an instrument as one table: (phase, event) -> phase. Everything else is refused.

Power: PRE_OPEN -gather-> OPENING_AUCTION -uncross-> CONTINUOUS -gather_closing-> CLOSING_AUCTION -close-> GATE_CLOSED -deliver-> DELIVERED
-settle-> SETTLED; without call phases PRE_OPEN -open-> CONTINUOUS -close-> GATE_CLOSED. Certificates and credits: PRE_OPEN and PAUSED alternate
with CONTINUOUS as their calendar says. A trade outside the dynamic band interrupts CONTINUOUS. An operator can halt all of them; a halt ends in
the phase that the time and the book ask for (order_path/auctions.py).

In a call phase (集合竞价) orders gather. Every way out of it but a halt and a pause holds its auction.
"""

from enum import IntEnum, StrEnum
from typing import Final


class Phase(IntEnum):
    PRE_OPEN = 0
    CONTINUOUS = 1
    GATE_CLOSED = 2
    DELIVERED = 3
    SETTLED = 4
    PAUSED = 5
    HALTED = 6
    # Call phases; kernels compare with the first of them.
    OPENING_AUCTION = 7
    CLOSING_AUCTION = 8
    INTERRUPTED = 9


class PhaseEvent(StrEnum):
    OPEN = "open"
    GATHER = "gather"
    UNCROSS = "uncross"
    GATHER_CLOSING = "gather_closing"
    INTERRUPT = "interrupt"
    PAUSE = "pause"
    CLOSE = "close"
    DELIVER = "deliver"
    SETTLE = "settle"
    HALT = "halt"
    RESUME = "resume"
    RESUME_WAITING = "resume_waiting"
    RESUME_OPENING = "resume_opening"
    RESUME_CLOSING = "resume_closing"
    RESUME_INTERRUPTED = "resume_interrupted"


CALL_PHASES: Final = frozenset({Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION, Phase.INTERRUPTED})
TRADING_PHASES: Final = frozenset({Phase.CONTINUOUS, *CALL_PHASES})

TRANSITIONS: Final[dict[tuple[Phase, PhaseEvent], Phase]] = {
    (Phase.PRE_OPEN, PhaseEvent.OPEN): Phase.CONTINUOUS,
    (Phase.PRE_OPEN, PhaseEvent.GATHER): Phase.OPENING_AUCTION,
    (Phase.PRE_OPEN, PhaseEvent.CLOSE): Phase.GATE_CLOSED,
    (Phase.PRE_OPEN, PhaseEvent.HALT): Phase.HALTED,
    (Phase.OPENING_AUCTION, PhaseEvent.UNCROSS): Phase.CONTINUOUS,
    (Phase.OPENING_AUCTION, PhaseEvent.GATHER_CLOSING): Phase.CLOSING_AUCTION,
    (Phase.OPENING_AUCTION, PhaseEvent.CLOSE): Phase.GATE_CLOSED,
    (Phase.OPENING_AUCTION, PhaseEvent.HALT): Phase.HALTED,
    (Phase.PAUSED, PhaseEvent.OPEN): Phase.CONTINUOUS,
    (Phase.PAUSED, PhaseEvent.INTERRUPT): Phase.INTERRUPTED,
    (Phase.PAUSED, PhaseEvent.HALT): Phase.HALTED,
    (Phase.CONTINUOUS, PhaseEvent.GATHER_CLOSING): Phase.CLOSING_AUCTION,
    (Phase.CONTINUOUS, PhaseEvent.INTERRUPT): Phase.INTERRUPTED,
    (Phase.CONTINUOUS, PhaseEvent.PAUSE): Phase.PAUSED,
    (Phase.CONTINUOUS, PhaseEvent.CLOSE): Phase.GATE_CLOSED,
    (Phase.CONTINUOUS, PhaseEvent.HALT): Phase.HALTED,
    (Phase.INTERRUPTED, PhaseEvent.UNCROSS): Phase.CONTINUOUS,
    (Phase.INTERRUPTED, PhaseEvent.GATHER_CLOSING): Phase.CLOSING_AUCTION,
    (Phase.INTERRUPTED, PhaseEvent.PAUSE): Phase.PAUSED,
    (Phase.INTERRUPTED, PhaseEvent.CLOSE): Phase.GATE_CLOSED,
    (Phase.INTERRUPTED, PhaseEvent.HALT): Phase.HALTED,
    (Phase.CLOSING_AUCTION, PhaseEvent.CLOSE): Phase.GATE_CLOSED,
    (Phase.CLOSING_AUCTION, PhaseEvent.HALT): Phase.HALTED,
    (Phase.HALTED, PhaseEvent.RESUME): Phase.CONTINUOUS,
    (Phase.HALTED, PhaseEvent.RESUME_WAITING): Phase.PRE_OPEN,
    (Phase.HALTED, PhaseEvent.RESUME_OPENING): Phase.OPENING_AUCTION,
    (Phase.HALTED, PhaseEvent.RESUME_CLOSING): Phase.CLOSING_AUCTION,
    (Phase.HALTED, PhaseEvent.RESUME_INTERRUPTED): Phase.INTERRUPTED,
    (Phase.HALTED, PhaseEvent.CLOSE): Phase.GATE_CLOSED,
    (Phase.GATE_CLOSED, PhaseEvent.DELIVER): Phase.DELIVERED,
    (Phase.DELIVERED, PhaseEvent.SETTLE): Phase.SETTLED,
}


def next_phase(phase: Phase, event: PhaseEvent) -> Phase | None:
    """The phase after `event`, or None when the event does not apply (a halted instrument ignores open, pause and the ends of call phases)."""
    return TRANSITIONS.get((phase, event))
