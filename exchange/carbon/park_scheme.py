"""The park's own baseline-and-credit scheme: who is better than the benchmark earns park credits, who is worse has to surrender some.

credits = (benchmark - intensity) x output and obligation = max(0, intensity - benchmark) x output, summed over the products of a member, so one of
the two is zero. Source: docs/rules.md, "Park credits".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from exchange.carbon.allocation import EMISSIONS_MAX_G, G_PER_T
from exchange.carbon.record import FrozenRecord, Record, from_rows, to_rows
from exchange.errors import CheckFailedError
from exchange.protocol.value_chain.park_scheme import OpenParkScheme, ParkBenchmark, ProductOutput

_OUTPUT_MAX: Final = 10**12
_BENCHMARK_MAX_G: Final = 10**10
_ROWS_MAX: Final = 100
_PENALTY_MAX_MICRO: Final = 10**11  # 100,000 CNY a ton: times the largest obligation it stays an int64


class Benchmark(FrozenRecord, frozen=True):
    product: str
    unit: str
    g_per_unit: int


class ParkScheme(Record):
    """One period, in credits of one instrument."""

    instrument: int
    start_ns: int
    end_ns: int
    deadline_ns: int
    penalty_micro_per_t: int
    benchmarks: list[Benchmark]
    is_closed: bool = False


class Performance(Record):
    """What one member made of a period, in t; `added_g`: reductions that a project at its site has credits for, which count as if they were emitted.

    `shortfall_t`, `penalty_micro` are known after the deadline.
    """

    instrument: int
    account: int
    verifier: int
    data_sha256: bytes
    allowed_g: int
    emitted_g: int
    added_g: int
    credits_t: int
    obligation_t: int
    is_issued: bool = False
    surrendered_t: int = 0
    shortfall_t: int = 0
    penalty_micro: int = 0
    paid_micro: int = 0

    @property
    def open_t(self) -> int:
        return self.obligation_t - self.surrendered_t

    @property
    def due_micro(self) -> int:
        return self.penalty_micro - self.paid_micro


class Balance(NamedTuple):
    """What a member may emit by its benchmarks, and what it earns or owes, in t: credits rounded down, obligation up."""

    allowed_g: int
    emitted_g: int
    credits_t: int
    obligation_t: int


def balance(rows: Sequence[ProductOutput], benchmarks_g: Mapping[str, int], added_g: int) -> Balance:
    """Sum over products of benchmark x output against emissions and `added_g`. Raises KeyError for a product without a benchmark."""
    allowed_g = sum(benchmarks_g[row.product] * row.output_units for row in rows)
    emitted_g = sum(row.emissions_g for row in rows)
    better_g = allowed_g - emitted_g - added_g
    return Balance(allowed_g, emitted_g, max(0, better_g) // G_PER_T, -(-max(0, -better_g) // G_PER_T))


def scheme_problem(document: OpenParkScheme) -> str | None:
    """The first rule that a scheme breaks by itself."""
    if not 0 <= document.period_start_ns < document.period_end_ns < document.deadline_ns < 2**62:
        return "period_out_of_order"
    if not 0 < document.penalty_micro_per_t <= _PENALTY_MAX_MICRO:
        return "penalty_out_of_range"
    products = [row.product for row in document.benchmarks]
    if not 0 < len(products) <= _ROWS_MAX or len(set(products)) != len(products):
        return "benchmarks_malformed"
    return None if all(_is_benchmark(row) for row in document.benchmarks) else "benchmarks_malformed"


def _is_benchmark(row: ParkBenchmark) -> bool:
    return 0 < len(row.product) <= 64 and 0 < len(row.unit) <= 16 and 0 <= row.benchmark_g_per_unit <= _BENCHMARK_MAX_G


def rows_problem(rows: Sequence[ProductOutput], benchmarks_g: Mapping[str, int]) -> str | None:
    """The first rule that verified rows break."""
    products = [row.product for row in rows]
    if not products or len(set(products)) != len(products) or not set(products) <= set(benchmarks_g):
        return "products_without_benchmark"
    if any(not 0 <= row.output_units <= _OUTPUT_MAX or not 0 <= row.emissions_g <= EMISSIONS_MAX_G for row in rows):
        return "output_out_of_range"
    found = balance(rows, benchmarks_g, 0)
    return "output_out_of_range" if max(found.allowed_g, found.emitted_g) > EMISSIONS_MAX_G else None


@dataclass(slots=True)
class ParkSchemes:
    """By instrument, and performances by (instrument, account)."""

    schemes: dict[int, ParkScheme] = field(default_factory=dict)
    performances: dict[tuple[int, int], Performance] = field(default_factory=dict)

    def of_scheme(self, instrument: int) -> list[Performance]:
        """In the order of accounts."""
        return [row for key, row in sorted(self.performances.items()) if key[0] == instrument]

    def of_account(self, account: int) -> list[Performance]:
        """In the order of instruments."""
        return [row for key, row in sorted(self.performances.items()) if key[1] == account]

    def is_settled_for(self, account: int, instrument: int, start_ns: int, end_ns: int) -> bool:
        """Whether a performance of that account is verified for a time that overlaps [start_ns, end_ns)."""
        scheme = self.schemes.get(instrument)
        return scheme is not None and (instrument, account) in self.performances and scheme.start_ns < end_ns and start_ns < scheme.end_ns

    def to_canonical(self) -> list[Any]:
        if not self.schemes:
            return []
        return [to_rows(row for _, row in sorted(self.schemes.items())), to_rows(row for _, row in sorted(self.performances.items()))]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "ParkSchemes":
        if not content:
            return cls()
        schemes, performances = content
        return cls(
            {row.instrument: row for row in from_rows(ParkScheme, schemes)},
            {(row.instrument, row.account): row for row in from_rows(Performance, performances)},
        )


def check_park_schemes(parks: ParkSchemes) -> None:
    """Raises CheckFailedError naming the first invariant that does not hold."""
    for row in parks.performances.values():
        _require(0 <= row.surrendered_t <= row.obligation_t, "no more is surrendered than is owed")
        _require(row.credits_t == 0 or row.obligation_t == 0, "a member earns or owes")
        is_closed = parks.schemes[row.instrument].is_closed
        _require(row.shortfall_t == (row.open_t if is_closed else 0), "a shortfall is what is open after the deadline")
        _require(row.penalty_micro == row.shortfall_t * parks.schemes[row.instrument].penalty_micro_per_t, "the penalty is the published one")
        _require(0 <= row.paid_micro <= row.penalty_micro, "no more is paid than the penalty")


def _require(condition: bool, invariant: str) -> None:
    if not condition:
        raise CheckFailedError(f"not so: {invariant}")
