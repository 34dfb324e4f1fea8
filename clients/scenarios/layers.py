"""A scenario file laid over its bases, with the place of every value.

A file may name a `base` (another scenario): its tables are laid over those of the base key by key, members, groups and instruments by id and symbol;
what a key holds (a load, a mix of shapes, holdings) is replaced whole. With `base_members = false` it takes the rules of the base, not its members.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from clients.scenarios.groups import group_members
from clients.scenarios.problems import Problems
from clients.scenarios.toml_lines import TomlFile, decode_text, parse_toml
from exchange.errors import InputError

# Names of the scenarios that ship with the package.
SHIPPED: Final = ("park", "story", "compliance", "solar", "short", "carbon-squeeze", "dominant-seller", "stress", "national")
_KEYED: Final = {"member": "id", "instrument": "symbol", "group": "id"}
# What a file leaves out of its base with `base_members = false`.
_OF_MEMBERS: Final = frozenset({"member", "group", "contract"})

Place = tuple[str | int, ...]


class ScenarioFile:
    """A scenario laid over its bases, and where each of its values was written."""

    def __init__(
        self,
        name: str,
        content: dict[str, Any],
        layers: list[tuple[TomlFile, Path | None]],
        group_of: Mapping[str, str],
        overrides: Mapping[Place, str] | None = None,
    ) -> None:
        """`group_of`: member -> the group that it was made of; `overrides`: where the values came from that are in no file."""
        self.name = name
        self.content = content
        self._layers = layers
        self._group_of = group_of
        self._overrides = overrides or {}

    @property
    def folder(self) -> Path | None:
        """Folder of the outermost file of a user, None for a shipped one."""
        return self._layers[0][1]

    def overridden(self, values: Mapping[Place, Any], names: Mapping[Place, str]) -> "ScenarioFile":
        """The scenario with other values at some paths; `names` says where each was given. Tables on the way are made where there are none."""
        content = deepcopy(self.content)
        for path, value in values.items():
            table: Any = content
            for key in path[:-1]:
                table = table[key] if isinstance(key, int) else table.setdefault(key, {})
            table[path[-1]] = value
        return ScenarioFile(self.name, content, self._layers, self._group_of, {**self._overrides, **names})

    def name_of(self, path: Place) -> str:
        """A path as a person would call it: market.tie, member E03.load.noise, outage[1].begins."""
        text = ""
        for position, part in enumerate(path):
            if isinstance(part, str):
                text += f".{part}" if text else part
            elif position == 1 and path[0] in _KEYED:
                entry = self.content[str(path[0])][part]
                text += f" {entry.get(_KEYED[str(path[0])], part) if isinstance(entry, dict) else part}"
            else:
                text += f"[{part}]"
        return text

    def place_of(self, path: Place) -> tuple[str, int | None]:
        """File and line of a value of the merged content, or of the nearest table around it that a file has."""
        for length in range(len(path), 0, -1):
            part = path[:length]
            if part in self._overrides:
                return self._overrides[part], None
            for file, _ in self._layers:
                line = next((file.lines[own] for own in self._own_paths(file, part) if own in file.lines), None)
                if line is not None:
                    return file.name, line
        return self._layers[0][0].name, None

    def _own_paths(self, file: TomlFile, path: Place) -> Iterator[Place]:
        """Where the value stands within one layer: entries of keyed arrays are at other places there, members of a group in the group's table."""
        if len(path) < 2 or path[0] not in _KEYED or not isinstance(path[1], int):
            yield path
            return
        table, key = str(path[0]), _KEYED[str(path[0])]
        entries = self.content.get(table, [])
        merged = entries[path[1]] if isinstance(entries, list) and path[1] < len(entries) else None
        if not isinstance(merged, dict):
            yield path
            return
        name = merged.get(key)
        yield from ((table, index, *path[2:]) for index in _places(file.content.get(table), key, name))
        group = self._group_of.get(str(name)) if table == "member" else None
        if group is not None:
            below = ("member", *path[2:]) if len(path) > 2 else ()
            yield from (("group", index, *below) for index in _places(file.content.get("group"), "id", group))


def _places(entries: Any, key: str, name: Any) -> Iterator[int]:
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict) and entry.get(key) == name:
            yield index


def read_scenario(name_or_file: str) -> ScenarioFile:
    """Read a shipped scenario by name, or a .toml file. Raises InputError for a missing or malformed one."""
    layers: list[tuple[TomlFile, Path | None]] = []
    wanted: str | None = name_or_file
    folder: Path | None = None
    while wanted is not None:
        file, folder = _read_layer(wanted, folder)
        _refuse_duplicates(file)
        layers.append((file, folder))
        base = file.content.pop("base", None)
        if base is not None and (not isinstance(base, str) or len(layers) > 4):
            raise InputError(f"{file.name}: base: expected the name of another scenario, at most four deep")
        wanted = base
    content: dict[str, Any] = {}
    for file, _ in reversed(layers):
        if file.content.pop("base_members", True) is False:
            content = {key: value for key, value in content.items() if key not in _OF_MEMBERS}
        content = _overlay(content, file.content)
    name = name_or_file if name_or_file in SHIPPED else Path(name_or_file).stem
    scenario = ScenarioFile(name, content, layers, {})
    return scenario if "group" not in content else ScenarioFile(name, content, layers, _expand_groups(scenario))


def _expand_groups(scenario: ScenarioFile) -> dict[str, str]:
    """Put the members of groups before those with a table of their own, which are laid over them. Returns member -> group."""
    content, problems = scenario.content, Problems(f"scenario {scenario.name}")

    def note(reason: str, index: int) -> None:
        file, line = scenario.place_of(("group", index))
        problems.add(reason, line, file)

    groups = group_members(content["group"], note)
    problems.raise_if_any()
    del content["group"]
    own = content.get("member", [])
    if isinstance(own, list):
        content["member"] = _overlay_entries([entry for entries in groups.values() for entry in entries], own, "id")
    return {entry["id"]: group for group, entries in groups.items() for entry in entries}


def _refuse_duplicates(file: TomlFile) -> None:
    """An id or symbol twice in one file is a slip; laid over each other the two would pass unseen."""
    problems = Problems(file.name)
    for table, key in _KEYED.items():
        seen: set[str] = set()
        entries = file.content.get(table, [])
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            name = str(entry.get(key)) if isinstance(entry, dict) else ""
            if name and name in seen:
                problems.add(f"{table} {name[:30]} is there twice", file.line_of((table, index)))
            seen.add(name)
    problems.raise_if_any()


def _read_layer(name: str, folder: Path | None) -> tuple[TomlFile, Path | None]:
    if name in SHIPPED:
        text = files("clients.scenarios").joinpath("data", f"{name}.toml").read_text("utf-8")
        return parse_toml(text, f"{name}.toml"), None
    path = Path(name) if folder is None else folder / name
    if path.suffix.lower() != ".toml":
        raise InputError(f"unknown scenario {name!r}; expected one of {', '.join(SHIPPED)} or a .toml file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read scenario {path}: {error.strerror}") from error
    return parse_toml(decode_text(data, path.name), path.name), path.parent


def _overlay(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Keys of tables and of keyed entries one by one; what a key holds is replaced whole."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            merged[key] = {**under, **value}
        elif key in _KEYED and isinstance(value, list) and isinstance(under, list):
            merged[key] = _overlay_entries(under, value, _KEYED[key])
        else:
            merged[key] = value
    return merged


def _overlay_entries(below: list[Any], above: list[Any], key: str) -> list[Any]:
    entries = list(below)
    places = {entry[key]: index for index, entry in enumerate(entries) if isinstance(entry, dict) and isinstance(entry.get(key), str)}
    for entry in above:
        name = entry.get(key) if isinstance(entry, dict) else None
        place = places.get(name) if isinstance(name, str) else None
        if place is None:
            entries.append(entry)
        else:
            entries[place] = {**entries[place], **entry}
    return entries
