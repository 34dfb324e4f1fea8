"""States of a project as one table: (state, event) -> state. What is not in it is refused."""

from enum import IntEnum
from typing import Final


class ProjectState(IntEnum):
    PROPOSED = 0
    VALIDATED = 1
    REGISTERED = 2
    MONITORING = 3  # a monitoring waits for its verifier
    VERIFIED = 4  # and for its credits
    ISSUED = 5
    REJECTED = 6


class ProjectEvent(IntEnum):
    VALIDATE = 0
    REJECT = 1
    REGISTER = 2
    MONITOR = 3
    VERIFY = 4
    SEND_BACK = 5
    ISSUE = 6


_NEXT: Final[dict[tuple[ProjectState, ProjectEvent], ProjectState]] = {
    (ProjectState.PROPOSED, ProjectEvent.VALIDATE): ProjectState.VALIDATED,
    (ProjectState.PROPOSED, ProjectEvent.REJECT): ProjectState.REJECTED,
    (ProjectState.VALIDATED, ProjectEvent.REGISTER): ProjectState.REGISTERED,
    (ProjectState.REGISTERED, ProjectEvent.MONITOR): ProjectState.MONITORING,
    (ProjectState.ISSUED, ProjectEvent.MONITOR): ProjectState.MONITORING,
    (ProjectState.MONITORING, ProjectEvent.VERIFY): ProjectState.VERIFIED,
    (ProjectState.MONITORING, ProjectEvent.SEND_BACK): ProjectState.REGISTERED,
    (ProjectState.VERIFIED, ProjectEvent.ISSUE): ProjectState.ISSUED,
}


def next_state(state: ProjectState, event: ProjectEvent) -> ProjectState | None:
    """The state after an event, or None where it does not apply."""
    return _NEXT.get((state, event))
