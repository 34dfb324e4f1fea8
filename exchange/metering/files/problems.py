"""What can be wrong with a file of readings: names, and whether a finding refuses the file or only flags a row (docs/guides/metering.md)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

SHOWN_MAX: Final = 20  # of each kind in words; all are counted


class Finding(StrEnum):
    """Names are stable. What is in `REFUSING` keeps the whole file out; the rest is told and the file is taken."""

    NOT_TEXT = "not_text"
    HEADER_UNKNOWN = "header_unknown"
    COLUMNS_DIFFER = "columns_differ"
    UNKNOWN_METER = "unknown_meter"
    TIME_MALFORMED = "time_malformed"
    TIME_SKIPPED = "time_skipped"
    TIME_AMBIGUOUS = "time_ambiguous"
    NUMBER_MALFORMED = "number_malformed"
    NEGATIVE = "negative"
    FLAG_UNKNOWN = "flag_unknown"
    TWICE = "twice"
    IN_THE_FUTURE = "in_the_future"
    OVER_CAPACITY = "over_capacity"
    LOAD_EXPORTS = "load_exports"
    REGISTER_WENT_BACK = "register_went_back"
    NO_READINGS = "no_readings"
    GAP = "gap"
    SPIKE = "spike"
    FROZEN = "frozen"
    OUT_OF_ORDER = "out_of_order"
    SUM_CHECK = "sum_check"
    CLOCK_CHANGE_DAY = "clock_change_day"


FLAGGING: Final = frozenset(
    {Finding.GAP, Finding.SPIKE, Finding.FROZEN, Finding.OUT_OF_ORDER, Finding.SUM_CHECK, Finding.CLOCK_CHANGE_DAY}
)
REFUSING: Final = frozenset(Finding) - FLAGGING


@dataclass(slots=True)
class Findings:
    """What was found in one file. `shown` has at most SHOWN_MAX sentences a kind, each with its line where it speaks of one."""

    source: str
    counts: Counter[Finding] = field(default_factory=Counter)
    shown: list[tuple[Finding, int, str]] = field(default_factory=list)

    def add(self, finding: Finding, line: int, words: str) -> None:
        """`line` counts from 1; 0 speaks of no line."""
        self.counts[finding] += 1
        if self.counts[finding] <= SHOWN_MAX:
            self.shown.append((finding, line, words))

    def add_rows(self, finding: Finding, lines: Iterable[int], words: str) -> None:
        for line in lines:
            self.add(finding, line, words)

    @property
    def refusals(self) -> int:
        return sum(count for finding, count in self.counts.items() if finding in REFUSING)

    def texts(self, findings: frozenset[Finding]) -> list[str]:
        """Sentences in the order of lines, and how many more there are."""
        shown = sorted((line, finding, words) for finding, line, words in self.shown if finding in findings)
        texts = [f"{self.source}{f', line {line}' if line else ''}: {finding}: {words}" for line, finding, words in shown]
        for finding, count in sorted(self.counts.items()):
            if finding in findings and count > SHOWN_MAX:
                texts.append(f"{self.source}: {finding}: {count - SHOWN_MAX} more")
        return texts
