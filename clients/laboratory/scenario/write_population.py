"""Who decides for whom as [population]: what most do as the default, what most of a role do by role, others by member."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from clients.laboratory.scenario.model import AgentChoice, Participant


def population_content(participants: Sequence[Participant]) -> dict[str, Any]:
    """[population]; a key that is set otherwise then counts for all whom the file does not name."""
    default = _usual(participants)
    roles = {role: _usual([entry for entry in participants if entry.role == role]) for role in dict.fromkeys(entry.role for entry in participants)}
    return {
        "default": _agent(default),
        "role": {role: _agent(choice) for role, choice in roles.items() if choice != default},
        "member": {entry.id: _agent(entry.agent) for entry in participants if entry.agent != roles[entry.role]},
    }


def _usual(participants: Sequence[Participant]) -> AgentChoice:
    """The choice of most, the first of them where several are as frequent."""
    counts = Counter(_key(entry.agent) for entry in participants)
    return max((entry.agent for entry in participants), key=lambda choice: counts[_key(choice)])


def _key(choice: AgentChoice) -> tuple[str, tuple[tuple[str, str], ...]]:
    return choice.name, tuple(sorted((key, repr(value)) for key, value in choice.parameters.items()))


def _agent(choice: AgentChoice) -> str | dict[str, Any]:
    return {"name": choice.name, **choice.parameters} if choice.parameters else choice.name
