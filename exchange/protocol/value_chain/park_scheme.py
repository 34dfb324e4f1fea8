"""Documents of the park's own baseline-and-credit scheme.

Emissions are in g, energy in Wh, outputs in whole units of their product, shares in parts per million, allowances and credits in lots of 1 t.
"""

from typing import ClassVar, Final

from exchange.protocol.document import Document, Part


class ParkBenchmark(Part, frozen=True, kw_only=True):
    """g CO2 that one unit of a product may take."""

    product: str
    unit: str
    benchmark_g_per_unit: int


class OpenParkScheme(Document, frozen=True, kw_only=True):
    """A period of the park's baseline-and-credit scheme, in credits of `symbol`, with the penalty published before it is due."""

    SCHEMA: ClassVar[str] = "open_park_scheme"
    symbol: str
    period_start_ns: int
    period_end_ns: int
    deadline_ns: int
    penalty_micro_per_t: int
    benchmarks: list[ParkBenchmark]


class ProductOutput(Part, frozen=True, kw_only=True):
    product: str
    output_units: int
    emissions_g: int


class VerifyParkPerformance(Document, frozen=True, kw_only=True):
    """A verifier's signed outputs and emissions of one member in the period of a scheme."""

    SCHEMA: ClassVar[str] = "verify_park_performance"
    symbol: str
    account: int
    rows: list[ProductOutput]
    data_sha256: bytes


class IssueParkCredits(Document, frozen=True, kw_only=True):
    """Park credits of a member that was better than its benchmarks."""

    SCHEMA: ClassVar[str] = "issue_park_credits"
    symbol: str
    account: int
    quantity_lots: int


class SurrenderParkCredits(Document, frozen=True, kw_only=True):
    """The sender surrenders park credits for its obligation in their scheme."""

    SCHEMA: ClassVar[str] = "surrender_park_credits"
    symbol: str
    quantity_lots: int


PARK_SCHEME: Final[tuple[type[Document], ...]] = (
    OpenParkScheme, VerifyParkPerformance, IssueParkCredits, SurrenderParkCredits,
)  # fmt: skip
