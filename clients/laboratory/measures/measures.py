"""All measures of a run under flat names, units last: what summary.json holds."""

from clients.laboratory.benchmark.bounds import Bounds
from clients.laboratory.measures.bills import bill_measures
from clients.laboratory.measures.carbon import carbon_measures
from clients.laboratory.measures.convergence import convergence_measures
from clients.laboratory.measures.energy import energy_measures
from clients.laboratory.measures.fairness import fairness_measures
from clients.laboratory.measures.figures import Figure
from clients.laboratory.measures.financing import financing_measures
from clients.laboratory.measures.quality import quality_measures
from clients.laboratory.measures.sharing import sharing_measures
from clients.laboratory.measures.theory import theory_measures
from clients.laboratory.measures.welfare import welfare_measures
from clients.laboratory.run.record import RunRecord

FAMILIES = (
    theory_measures, convergence_measures, quality_measures, energy_measures, bill_measures, carbon_measures,
    fairness_measures, sharing_measures, financing_measures,
)  # fmt: skip


def measure(record: RunRecord, bounds: Bounds | None = None) -> dict[str, Figure]:
    """Every measure of docs/measures.md. An undefined one is None, and so are those of welfare without `bounds` (benchmark.bounds.bounds_of), whose
    programs take longer than many a run. Deterministic; the record is not changed.
    """
    figures: dict[str, Figure] = {}
    for family in FAMILIES:
        figures |= family(record)
    return figures | welfare_measures(record, bounds)
