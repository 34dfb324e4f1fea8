"""What an owner gains by a lie: two runs of the same world, one truthful, one not."""

from dataclasses import dataclass

from clients.laboratory.measures.bills import net_bill_micro
from clients.laboratory.measures.figures import Integers, cny, cny_of_tick_lots
from clients.laboratory.measures.positions import positions_of
from clients.laboratory.run.record import RunRecord
from exchange.errors import InputError


@dataclass(frozen=True, slots=True)
class MisreportingGain:
    """`profit_cny` counts what was traded at private limits, the gain that strategy-proofness speaks of; `bill_cny` what is paid less at tariffs."""

    profit_cny: float
    bill_cny: float


def gain_from_misreporting(truthful: RunRecord, misreporting: RunRecord, participant: str) -> MisreportingGain:
    """What `participant` has more in `misreporting` than in `truthful`, at the limits and wants of the truthful run.

    Both runs must be of one seed, the same periods and the same participants, else InputError: a difference would not be the lie's alone.
    """
    row = _row_of(truthful, misreporting, participant)
    bill = net_bill_micro(truthful)[row] - net_bill_micro(misreporting)[row]
    return MisreportingGain(cny_of_tick_lots(int(gain_tick_lots(truthful, misreporting, participant).sum())), cny(bill))


def gain_tick_lots(truthful: RunRecord, misreporting: RunRecord, participant: str) -> Integers:
    """The gain in profit of each quarter-hour, int64[P] of tick x lot; the same conditions."""
    row = _row_of(truthful, misreporting, participant)
    gain: Integers = _profit(misreporting, truthful)[row] - _profit(truthful, truthful)[row]
    return gain


def _row_of(truthful: RunRecord, misreporting: RunRecord, participant: str) -> int:
    same_members = [entry.id for entry in truthful.scenario.participants] == [entry.id for entry in misreporting.scenario.participants]
    if truthful.seed != misreporting.seed or not same_members or truthful.start_ns.tolist() != misreporting.start_ns.tolist():
        raise InputError("a gain from misreporting needs two runs with the same seed, days and participants")
    try:
        return truthful.scenario.index_of(participant)
    except KeyError:
        raise InputError(f"the scenario has no participant {participant!r}") from None


def _profit(record: RunRecord, believed: RunRecord) -> Integers:
    """Profit of each participant and quarter-hour in `record`, valued by the limits and wants of `believed`: int64[n, P]."""
    return positions_of(record, believed).profit_tick_lots
