"""One seed of the suite: the honest run and each manipulation beside it, with the same random numbers."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from clients.laboratory.gaming.cast import Cast, SplitWorld, cast_of, rows_of, with_split_plant
from clients.laboratory.gaming.suite import SUITE, Manipulation, wrongly_certified_wh
from clients.laboratory.measures.bills import net_bill_micro
from clients.laboratory.run.engine import simulate
from clients.laboratory.run.record import RunRecord
from clients.laboratory.run.virtual_exchange import VirtualExchange
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.scenario.resolve import load_scenario
from exchange.protocol.administration import ChangeParticipant, SetOwnerRules
from exchange.surveillance.desk import Surveillance
from exchange.units import POWER_LOT_WH

OWNER_SCOPE = "beneficial_owner"


@dataclass(frozen=True, slots=True)
class Task:
    """One seed of a suite on a scenario by name and overrides, so that another process can play it."""

    scenario: str
    overrides: Mapping[str, str]
    days: int
    seed: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A manipulation less its honest twin, micro-CNY. `gain_micro`: what the group pays less; `others_lose_micro`: what all others pay more;
    `operator_gains_micro`: what the mechanism keeps more. `extent`: what of it came about (Wh); `refused_orders` beyond the honest run's;
    `alerts`: of surveillance that name an account of the group, beyond the honest run's, by rule.
    """

    name: str
    seed: int
    gain_micro: int
    others_lose_micro: int
    operator_gains_micro: int
    extent_wh: int
    refused_orders: int
    wrongly_certified_wh: int
    honest_bill_micro: int
    state_hash: str
    alerts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class _Played:
    record: RunRecord
    alerts: Sequence[tuple[str, frozenset[int]]]  # (rule, rows of participants)


def play(task: Task) -> list[Outcome]:
    """All manipulations of a task. Raises InputError as `load_scenario` and `simulate` do."""
    cast = cast_of(replace(load_scenario(task.scenario, task.overrides), days=task.days))
    honest = {False: _run(cast, None, task.seed)}
    found = []
    for name in task.names:
        manipulation = SUITE[name]
        if manipulation.is_declared not in honest:
            honest[True] = _run(cast, None, task.seed, is_declared=True)
        found.append(outcome_of(cast, manipulation, honest[manipulation.is_declared], _run(cast, manipulation, task.seed)))
    return found


def outcome_of(cast: Cast, manipulation: Manipulation, honest: _Played, played: _Played) -> Outcome:
    """What the second run has otherwise than the first."""
    before, after = honest.record, played.record
    group = list(rows_of(cast, manipulation.group))
    more = net_bill_micro(after) - net_bill_micro(before)
    gain = -int(more[group].sum())
    refused = after.refused_orders - before.refused_orders
    return Outcome(
        name=manipulation.name, seed=after.seed, gain_micro=gain, others_lose_micro=int(more.sum()) + gain,
        operator_gains_micro=int((after.operator_micro - before.operator_micro).sum()),
        extent_wh=manipulation.extent(cast, before, after) * POWER_LOT_WH, refused_orders=int(refused[group].sum()),
        wrongly_certified_wh=wrongly_certified_wh(after), honest_bill_micro=int(net_bill_micro(before)[group].sum()),
        state_hash=after.state_hash, alerts=_more_alerts(honest, played, frozenset(group)),
    )  # fmt: skip


def _run(cast: Cast, manipulation: Manipulation | None, seed: int, *, is_declared: bool = False) -> _Played:
    scenario, world = cast.scenario, None
    if manipulation is not None and manipulation.is_split:
        scenario, world = with_split_plant(cast), SplitWorld(cast, seed)
    watch = _Watch(cast, is_declared=is_declared or (manipulation is not None and manipulation.is_declared))
    hands = [] if manipulation is None or manipulation.hand is None else [manipulation.hand(cast)]
    record = simulate(scenario, seed, hands=hands, world=world, on_open=watch)
    return _Played(record, watch.alerts)


class _Watch:
    """Surveillance of a run, and what the exchange is told of owners before it."""

    def __init__(self, cast: Cast, *, is_declared: bool) -> None:
        self._cast, self._is_declared = cast, is_declared
        self.alerts: list[tuple[str, frozenset[int]]] = []

    def __call__(self, link: VirtualExchange, accounts: list[int]) -> None:
        if self._is_declared:
            owner = accounts[self._cast.plant]
            for row in (self._cast.second, self._cast.buyer, self._cast.seller):
                link.submit(ChangeParticipant(account=accounts[row], reason="accounts of one owner", beneficial_owner=owner))
            link.submit(SetOwnerRules(self_trade_scope=OWNER_SCOPE))
        row_of = {account: row for row, account in enumerate(accounts)}
        desk = Surveillance(
            link.exchange, on_alert=lambda alert: self.alerts.append((alert.rule, frozenset(row_of[account] for account in alert.accounts)))
        )
        link.watcher = desk.on_batch


def _more_alerts(honest: _Played, played: _Played, group: frozenset[int]) -> dict[str, int]:
    before, after = (Counter(rule for rule, rows in one.alerts if rows & group) for one in (honest, played))
    return dict(sorted((after - before).items()))


def reason_against(scenario: Scenario) -> Callable[[Manipulation], str]:
    """Why a manipulation cannot be tried on a scenario, "" where it can. Raises InputError where none can."""
    cast = cast_of(scenario)
    return lambda manipulation: "there is no storage of its own" if manipulation.needs_storage and cast.storage is None else ""
