"""What a reproduction says: published figures beside ours, line by line, and whether what it has to show is shown."""

from dataclasses import dataclass

Figure = float | str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One comparison. `published`: None where the source gives no figure. `gate`: what has to hold; empty: only reported, `holds` None.
    `standard_error`: of our figure, where it is an estimate whose error is known.
    """

    what: str
    published: Figure
    ours: Figure
    gate: str = ""
    holds: bool | None = None
    standard_error: float | None = None


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A whole comparison. `setting`: how it was run; `notes`: what cannot be compared, and why."""

    name: str
    paper: str
    setting: str
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every gate holds."""
        return all(line.holds is not False for line in self.lines)


def near(what: str, published: float, ours: float, tolerance: float, digits: int = 2, standard_error: float | None = None) -> Line:
    """A line whose figures may differ by `tolerance`."""
    return Line(what, published, round(ours, digits), f"within {tolerance:g}", abs(ours - published) <= tolerance, standard_error)


def reported(what: str, published: Figure, ours: float, digits: int = 2) -> Line:
    """A line without a gate."""
    return Line(what, published, round(ours, digits))


def at_least(what: str, published: Figure, ours: float, limit: float, digits: int = 2) -> Line:
    """A line whose figure has a floor."""
    return Line(what, published, round(ours, digits), f"at least {limit:g}", ours >= limit)


def at_most(what: str, published: Figure, ours: float, limit: float, digits: int = 2) -> Line:
    """A line whose figure has a ceiling."""
    return Line(what, published, round(ours, digits), f"at most {limit:g}", ours <= limit)
