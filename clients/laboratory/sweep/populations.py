"""Who trades: the same scenario with another population, or with one participant acting otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from clients.laboratory.scenario.model import AgentChoice, Participant, Scenario

# The population that the scenario names, participant by participant.
AS_WRITTEN: Final = ""

# What a conclusion has to hold for: the scenario's own agents, and traders who know nothing, who learn a margin, and who learn how eager to be.
ROBUST_POPULATIONS: Final = (AS_WRITTEN, "zi_c", "zip", "aa")

# Ways to form a price that any participant may follow. Whoever has another agent (a market maker, a user's strategy, a manipulator) keeps it.
PRICE_FORMING: Final = frozenset({"zi_u", "zi_c", "zip", "gdx", "aa", "price_taker", "truthful"})

# What one participant may try instead of what it does. Shares of the limit and of the quantity, in ppm.
ALTERNATIVES: Final[Mapping[str, AgentChoice]] = {
    "truthful": AgentChoice(name="truthful"),
    "misreports": AgentChoice(name="strategic", parameters={"shade_ppm": 100_000}),
    "withholds": AgentChoice(name="strategic", parameters={"withheld_ppm": 500_000}),
}


def with_population(scenario: Scenario, population: str) -> Scenario:
    """The scenario with every participant that only forms prices acting as `population`."""
    if population == AS_WRITTEN:
        return scenario
    return replace(scenario, participants=tuple(_with_agent(p, AgentChoice(name=population)) for p in scenario.participants))


def _with_agent(participant: Participant, agent: AgentChoice) -> Participant:
    return replace(participant, agent=agent) if participant.agent.name in PRICE_FORMING else participant


@dataclass(frozen=True, slots=True)
class Response:
    """One participant's other way to act, all others unchanged."""

    participant: str
    role: str
    alternative: str

    @property
    def name(self) -> str:
        return f"{self.participant} {self.alternative}"

    def applied(self, scenario: Scenario) -> Scenario:
        """The scenario in which the participant acts so."""
        agent = ALTERNATIVES[self.alternative]
        changed = [replace(p, agent=agent) if p.id == self.participant else p for p in scenario.participants]
        return replace(scenario, participants=tuple(changed))


def responses_of(scenario: Scenario) -> tuple[Response, ...]:
    """Every alternative of the largest participant of each role, roles in the sequence of the scenario."""
    largest: dict[str, Participant] = {}
    for participant in scenario.participants:
        if participant.agent.name in PRICE_FORMING and _size(participant) > _size(largest.get(participant.role)):
            largest[participant.role] = participant
    return tuple(Response(p.id, role, name) for role, p in largest.items() for name in ALTERNATIVES if ALTERNATIVES[name] != p.agent)


def _size(participant: Participant | None) -> int:
    """A power that orders participants of one role: what they can take or give, in W; -1 for none."""
    if participant is None:
        return -1
    storage = participant.storage.power_w if participant.storage else 0
    generation = participant.generation.peak_kw * 1000 if participant.generation else 0
    hours = 8760
    load = participant.load.annual_mwh * 1_000_000 // hours if participant.load else 0
    return storage + generation + load


def roles(responses: Sequence[Response]) -> tuple[str, ...]:
    """Roles in their sequence, each once."""
    return tuple(dict.fromkeys(response.role for response in responses))
