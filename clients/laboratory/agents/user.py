"""Strategies of the user: a class in a Python file, named `file.py:ClassName` in a scenario.

    class Patient:
        def __init__(self, parameters, participant): ...                     optional; what the scenario sets, whose strategy this is
        def begin(self, period, side, limit_ticks): ...                      optional; once a trading day and market, before the first quote
        def quote(self, view, side, limit_ticks, rng_bits): return 4100      a price in ticks, or None to stay silent
        def hear(self, shout, side, limit_ticks): ...                        optional; for every shout and trade of a market

There is one object for a participant. `side` is "buy" or "sell", `view` a View, `shout` a Shout; `limit_ticks` is the participant's value or cost,
None where it has nothing left to trade. `rng_bits` are 64 random bits as an int: who draws from them alone repeats a run to the bit. A price has to
be a multiple of the view's `tick_step` inside the band; that it makes no loss is the strategy's affair. Whatever goes wrong ends the run with an
InputError that names file, line and reason.
"""

import hashlib
import inspect
import operator
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NoReturn

from clients.laboratory.agents.interface import NO_QUOTE
from clients.laboratory.agents.parameters import ParameterValue
from exchange.errors import InputError
from matching.records import Side

SIDE_NAMES: Final = {Side.BUY: "buy", Side.SELL: "sell"}


@dataclass(frozen=True, slots=True)
class View:
    """What a participant sees of a market; prices in ticks, None where there is nothing or it is hidden by the rule of transparency.

    `period`: the quarter-hour of delivery, counted from 1970 in UTC. `time_left` falls from 1 at the first round to 0 at the last; `rounds_left`
    counts this one. `anchor_low_ticks`, `anchor_high_ticks`: what the grid pays and charges. `position_lots`: bought less sold in this market so far.
    """

    period: int
    bid_ticks: int | None
    ask_ticks: int | None
    last_ticks: int | None
    n_trades: int | None
    low_ticks: int
    high_ticks: int
    tick_step: int
    anchor_low_ticks: int
    anchor_high_ticks: int
    rounds_left: int
    time_left: float
    position_lots: int


@dataclass(frozen=True, slots=True)
class Shout:
    """An order that rested (`traded` False) or a trade. `side`: who spoke, of a trade the taker; best quotes after it."""

    period: int
    price_ticks: int
    side: str
    traded: bool
    quantity_lots: int
    bid_ticks: int | None
    ask_ticks: int | None


def view_of(record: Any, period: int) -> View:
    """A View of a record of interface.VIEW."""
    maybe = {name: _maybe(record[name]) for name in ("bid_ticks", "ask_ticks", "last_ticks", "n_trades")}
    whole = ("low_ticks", "high_ticks", "tick_step", "anchor_low_ticks", "anchor_high_ticks", "rounds_left", "position_lots")
    return View(period=period, time_left=float(record["time_left"]), **maybe, **{name: int(record[name]) for name in whole})


def shout_of(record: Any, period: int) -> Shout:
    """A Shout of a record of interface.SHOUT."""
    return Shout(
        period, int(record["price_ticks"]), SIDE_NAMES[Side(int(record["side"]))], bool(record["traded"]), int(record["quantity_lots"]),
        _maybe(record["bid_ticks"]), _maybe(record["ask_ticks"]),
    )  # fmt: skip


def _maybe(value: Any) -> int | None:
    return int(value) if value >= 0 else None


class UserStrategy:
    """One participant's object of a user's class, called with records of interface.py and checked. All methods raise InputError."""

    def __init__(self, name: str, parameters: Mapping[str, ParameterValue], participant: str, folder: Path) -> None:
        """`name`: file.py:ClassName, the file relative to `folder`."""
        file, _, self._class_name = name.rpartition(":")
        self._path = (folder / file).resolve()
        self._participant = participant
        self._class = self._find_class(_load(self._path))
        takes_both = any("__init__" in vars(base) for base in self._class.__mro__[:-1])
        self._object = self._call("__init__", self._class, dict(parameters), participant) if takes_both else self._call("__init__", self._class)

    def begin(self, period: int, side: int, limit_ticks: int) -> None:
        """A market of a new trading day begins."""
        if hasattr(self._object, "begin"):
            self._call("begin", self._object.begin, period, SIDE_NAMES[Side(side)], limit_ticks)

    def quote(self, view: Any, period: int, side: int, limit_ticks: int, bits: int) -> int:
        """The price in ticks, or NO_QUOTE. `view`: a record of VIEW."""
        seen = view_of(view, period)
        price = self._call("quote", self._object.quote, seen, SIDE_NAMES[Side(side)], limit_ticks, int(bits))
        if price is None:
            return NO_QUOTE
        reason = _reason_against(price, seen)
        if reason:
            line = _line_of(getattr(self._class, "quote", self._class))
            self._fail(line, f"{self._class_name}.quote returned {_shown(price)}: {reason} (period {period})")
        return operator.index(price)

    def hear(self, shout: Any, period: int, side: int, limit_ticks: int) -> None:
        """Something was said. `shout`: a record of SHOUT; `limit_ticks` NO_QUOTE: nothing left to trade."""
        if hasattr(self._object, "hear"):
            limit = None if limit_ticks == NO_QUOTE else limit_ticks
            self._call("hear", self._object.hear, shout_of(shout, period), SIDE_NAMES[Side(side)], limit)

    def _find_class(self, module: ModuleType) -> type[Any]:
        found = getattr(module, self._class_name, None)
        if not isinstance(found, type):
            classes = ", ".join(name for name, value in vars(module).items() if isinstance(value, type) and value.__module__ == module.__name__)
            self._fail(1, f"there is no class {self._class_name!r} here; classes: {classes or 'none'}")
        if not callable(getattr(found, "quote", None)):
            self._fail(_line_of(found), f"{self._class_name} has no method quote(self, view, side, limit_ticks, rng_bits)")
        return found

    def _call(self, method: str, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's code raises anything
            line = _line_in(error, self._path) or _line_of(getattr(self._class, method, self._class))
            self._fail(line, f"{self._class_name}.{method} raised {type(error).__name__}: {error}", error)

    def _fail(self, line: int, reason: str, cause: BaseException | None = None) -> NoReturn:
        raise InputError(f"{self._path}:{line}: {reason} (participant {self._participant})") from cause


def _load(path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError(f"{path}: no such Python file")
    # One module for all participants of a run, a new one after the file was edited.
    name = f"parkex_user_{path.stem}_{hashlib.sha256(bytes(path) + path.read_bytes()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses of the file look their module up
    try:
        # Not by importlib: its compiled copies are told apart by whole seconds, which an edit between two runs may not change.
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)  # noqa: S102 - running the user's own file is the purpose
    except SyntaxError as error:
        del sys.modules[name]
        raise InputError(f"{error.filename or path}:{error.lineno or 1}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise InputError(f"{path}:{_line_in(error, path) or 1}: {type(error).__name__}: {error}") from error
    return module


def _reason_against(price: Any, view: View) -> str:
    try:
        ticks = operator.index(price)
    except TypeError:
        return "a price is a whole number of ticks, or None"
    if isinstance(price, bool):
        return "a price is a whole number of ticks, or None"
    if not view.low_ticks <= ticks <= view.high_ticks:
        return f"the band is {view.low_ticks} to {view.high_ticks} ticks"
    return f"prices are multiples of {view.tick_step} ticks" if ticks % view.tick_step else ""


def _shown(value: Any) -> str:
    text = f"{value!r}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _line_in(error: BaseException, path: Path) -> int | None:
    """The innermost line of the user's file on the way to the error."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    return lines[-1] if lines else None


def _line_of(thing: Any) -> int:
    try:
        return inspect.getsourcelines(thing)[1]
    except (OSError, TypeError):
        return 1
