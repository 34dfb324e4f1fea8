"""Trading phases of an instrument as one table: (phase, event) -> phase. Everything else is refused.

Power: PRE_OPEN -open-> CONTINUOUS -close-> GATE_CLOSED -deliver-> DELIVERED -settle-> SETTLED.
Certificates and credits: PRE_OPEN and PAUSED alternate with CONTINUOUS as their calendar says. An operator can halt and resume both.
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


class PhaseEvent(StrEnum):
    OPEN = "open"
    PAUSE = "pause"
    CLOSE = "close"
    DELIVER = "deliver"
    SETTLE = "settle"
    HALT = "halt"
    RESUME = "resume"


TRANSITIONS: Final[dict[tuple[Phase, PhaseEvent], Phase]] = {
    (Phase.PRE_OPEN, PhaseEvent.OPEN): Phase.CONTINUOUS,
    (Phase.PRE_OPEN, PhaseEvent.CLOSE): Phase.GATE_CLOSED,
    (Phase.PRE_OPEN, PhaseEvent.HALT): Phase.HALTED,
    (Phase.PAUSED, PhaseEvent.OPEN): Phase.CONTINUOUS,
    (Phase.PAUSED, PhaseEvent.HALT): Phase.HALTED,
    (Phase.CONTINUOUS, PhaseEvent.PAUSE): Phase.PAUSED,
    (Phase.CONTINUOUS, PhaseEvent.CLOSE): Phase.GATE_CLOSED,
    (Phase.CONTINUOUS, PhaseEvent.HALT): Phase.HALTED,
    (Phase.HALTED, PhaseEvent.RESUME): Phase.CONTINUOUS,
    (Phase.HALTED, PhaseEvent.CLOSE): Phase.GATE_CLOSED,
    (Phase.GATE_CLOSED, PhaseEvent.DELIVER): Phase.DELIVERED,
    (Phase.DELIVERED, PhaseEvent.SETTLE): Phase.SETTLED,
}


def next_phase(phase: Phase, event: PhaseEvent) -> Phase | None:
    """The phase after `event`, or None when the event does not apply (a halted instrument ignores open and pause)."""
    return TRANSITIONS.get((phase, event))
