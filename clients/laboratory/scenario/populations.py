"""Who decides prices for whom: [population] and the members' own `agent`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clients.laboratory.scenario.model import AgentChoice, Parameter
from clients.laboratory.scenario.names import POPULATIONS
from clients.laboratory.scenario.schema import Agent, LaboratoryMemberTable, PopulationTable
from clients.scenarios.attributes import Reader
from clients.scenarios.layers import Place
from exchange.accounts.permissions import Role


class Populations:
    """The choices of a scenario, read once; `of` gives a member's: of [population.member], its own, of its role, or the default."""

    def __init__(self, table: PopulationTable, members: Mapping[str, LaboratoryMemberTable], folder: Path | None, reader: Reader) -> None:
        self._folder = folder
        self._reader = reader
        self._default = self._choice(table.default, ("population", "default"))
        self._roles = {role: self._choice(agent, ("population", "role", role)) for role, agent in table.role.items()}
        self._members = {name: self._choice(agent, ("population", "member", name)) for name, agent in table.member.items()}
        roles = [role.value for role in Role]
        for role in table.role.keys() - set(roles):
            reader.note(f"population.role.{role}: no such role; expected one of {', '.join(roles)}", "population", "role", role)
        for name in table.member.keys() - members.keys():
            reader.note(f"population.member.{name}: no such participant", "population", "member", name)

    def of(self, member: LaboratoryMemberTable, index: int) -> AgentChoice:
        """The member's choice."""
        own = self._choice(member.agent, ("member", index, "agent")) if member.agent is not None else None
        return self._members.get(member.id) or own or self._roles.get(member.role) or self._default

    def _choice(self, agent: Agent, place: Place) -> AgentChoice:
        parameters: dict[str, Any] = {"name": agent} if isinstance(agent, str) else dict(agent)
        name = parameters.pop("name", "")
        for key, value in parameters.items():
            if not isinstance(value, int | str):
                self._reader.note(f"{self._reader.name_of(place)}.{key}: expected a number, text, true or false", *place)
        kept: dict[str, Parameter] = {key: value for key, value in parameters.items() if isinstance(value, int | str)}
        return AgentChoice(name=self._known(name, place), parameters=kept)

    def _known(self, name: Any, place: Place) -> str:
        """The name; for `file.py:ClassName` with the whole path of the file, which is looked for beside the scenario first."""
        if name in POPULATIONS:
            return str(name)
        path, colon, cls = str(name).rpartition(":")
        if not colon or not path.endswith(".py") or not cls.isidentifier():
            known = ", ".join(POPULATIONS)
            self._reader.note(f"{self._reader.name_of(place)}: population {str(name)[:40]!r}; expected one of {known}, or file.py:ClassName", *place)
            return str(name)
        for folder in (self._folder, Path.cwd()):
            if folder is not None and (folder / path).is_file():
                return f"{(folder / path).resolve()}:{cls}"
        self._reader.note(f"{self._reader.name_of(place)}: no file {path!r}, neither beside the scenario nor here", *place)
        return str(name)
