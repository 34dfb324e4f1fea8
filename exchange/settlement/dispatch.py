"""Dispatch at gate closure (docs/rules.md, "Dispatch"): schedules against the limits of feeders and transformers, and what is curtailed.

A schedule is what an account nominated, or else what it has sold less bought; injection positive. Feeders are looked at from the outermost
inwards, so what an outer one curtails relieves the inner one. Who overloads is curtailed: offers first, the cheapest first, then all in proportion.
The meter is settled, not the schedule: compensation is for what the meter shows to have stayed below the schedule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from exchange.units import NS_PER_HOUR, PERIOD_NS, split_by_largest_remainder


class FeederLimit(NamedTuple):
    """Limits in W; towards the accounts and away from them."""

    name: str
    import_limit_w: int
    export_limit_w: int
    parent: str


class Offer(NamedTuple):
    """An offer to be curtailed in one period."""

    account: int
    energy_wh: int
    price_micro_per_kwh: int


class Curtailment(NamedTuple):
    """`energy_wh` less than `schedule_wh` says, in absolute value; `cost_micro_wh` is the sum of price x Wh, in micro-CNY/kWh x Wh."""

    energy_wh: int
    schedule_wh: int
    cost_micro_wh: int


@dataclass(slots=True)
class Dispatch:
    """The network as it is, and by instrument id what was offered and curtailed. `feeders` by name, `connections` account to feeder."""

    feeders: dict[str, FeederLimit] = field(default_factory=dict)
    connections: dict[int, str] = field(default_factory=dict)
    compensation_micro_per_kwh: int = 0
    offers: dict[int, dict[int, Offer]] = field(default_factory=dict)
    curtailed: dict[int, dict[int, Curtailment]] = field(default_factory=dict)

    def to_canonical(self) -> list[Any]:
        parts: list[Any] = [
            [list(feeder) for _, feeder in sorted(self.feeders.items())],
            sorted(self.connections.items()),
            self.compensation_micro_per_kwh,
            [[instrument, *offer] for instrument, offers in sorted(self.offers.items()) for _, offer in sorted(offers.items())],
            [[instrument, account, *cut] for instrument, cuts in sorted(self.curtailed.items()) for account, cut in sorted(cuts.items())],
        ]
        return parts if any(parts) else []

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "Dispatch":
        dispatch = cls()
        if not content:
            return dispatch
        feeders, connections, dispatch.compensation_micro_per_kwh, offers, curtailed = content
        dispatch.feeders = {row[0]: FeederLimit(*row) for row in feeders}
        dispatch.connections = dict(connections)
        for instrument, *offer in offers:
            dispatch.offers.setdefault(instrument, {})[offer[0]] = Offer(*offer)
        for instrument, account, *cut in curtailed:
            dispatch.curtailed.setdefault(instrument, {})[account] = Curtailment(*cut)
        return dispatch


def network_problem(feeders: Sequence[FeederLimit], connections: Sequence[tuple[int, str]]) -> str | None:
    """The first rule that a network breaks, as a stable name."""
    names = [feeder.name for feeder in feeders]
    if len(set(names)) != len(names) or not all(0 < len(name) <= 64 for name in names):
        return "feeder_name_malformed"
    if any(not 0 <= limit <= 10**10 for feeder in feeders for limit in (feeder.import_limit_w, feeder.export_limit_w)):
        return "feeder_limit_out_of_range"
    parents = {feeder.name: feeder.parent for feeder in feeders}
    if any(parent and parent not in parents for parent in parents.values()):
        return "unknown_feeder"
    if any(_depth(parents, name) > len(names) for name in names):
        return "feeders_in_a_circle"
    if any(feeder not in parents for _, feeder in connections):
        return "unknown_feeder"
    accounts = [account for account, _ in connections]
    return "account_connected_twice" if len(set(accounts)) != len(accounts) else None


def curtail(dispatch: Dispatch, schedules_wh: Mapping[int, int], offers: Sequence[Offer]) -> dict[int, Curtailment]:
    """What each account is curtailed by so that no feeder is overloaded. Accounts without a curtailment are not there.

    What relieves a transformer may load a feeder below it the other way, so feeders are looked at until none is overloaded: schedules only
    shrink, and with nothing scheduled nothing flows.
    """
    plan = _Plan(dispatch, schedules_wh, offers)
    while any([plan.relieve(feeder) for feeder in plan.outermost_first]):  # noqa: C419 (every feeder has its turn)
        pass
    return {
        account: Curtailment(abs(schedules_wh.get(account, 0) - after), schedules_wh.get(account, 0), plan.cost_micro_wh[account])
        for account, after in plan.left_wh.items()
        if after != schedules_wh.get(account, 0)
    }


class _Plan:
    """Schedules as they shrink. `left_wh` and `cost_micro_wh` by account, `offered_wh` what offers have left."""

    def __init__(self, dispatch: Dispatch, schedules_wh: Mapping[int, int], offers: Sequence[Offer]) -> None:
        parents = {name: feeder.parent for name, feeder in dispatch.feeders.items()}
        self.outermost_first = sorted(dispatch.feeders.values(), key=lambda feeder: (-_depth(parents, feeder.name), feeder.name))
        accounts = sorted(dispatch.connections)
        self._below = {name: [a for a in accounts if _is_below(parents, dispatch.connections[a], name)] for name in dispatch.feeders}
        self._offers = sorted(offers, key=lambda offer: (offer.price_micro_per_kwh, offer.account))
        self._price_micro_per_kwh = dispatch.compensation_micro_per_kwh
        self.offered_wh = {offer.account: offer.energy_wh for offer in offers}
        self.left_wh = {account: schedules_wh.get(account, 0) for account in accounts}
        self.cost_micro_wh = dict.fromkeys(accounts, 0)

    def relieve(self, feeder: FeederLimit) -> bool:
        """Curtail what overloads a feeder; False when nothing does."""
        below = self._below[feeder.name]
        flow_wh = sum(self.left_wh[account] for account in below)
        sign = 1 if flow_wh > 0 else -1
        limit_wh = (feeder.export_limit_w if sign > 0 else feeder.import_limit_w) * PERIOD_NS // NS_PER_HOUR
        excess_wh = abs(flow_wh) - limit_wh
        if excess_wh <= 0:
            return False
        for offer in self._offers:
            if offer.account in below:
                part = min(excess_wh, self.offered_wh[offer.account], max(sign * self.left_wh[offer.account], 0))
                self._cut(offer.account, sign, part, offer.price_micro_per_kwh)
                self.offered_wh[offer.account] -= part
                excess_wh -= part
        if excess_wh > 0:
            room = [max(sign * self.left_wh[account], 0) for account in below]
            for account, part in zip(below, split_by_largest_remainder(excess_wh, room), strict=True):
                self._cut(account, sign, part, self._price_micro_per_kwh)
        return True

    def _cut(self, account: int, sign: int, energy_wh: int, price_micro_per_kwh: int) -> None:
        self.left_wh[account] -= sign * energy_wh
        self.cost_micro_wh[account] += energy_wh * price_micro_per_kwh


def verified_wh(cut: Curtailment, injection_wh: int) -> int:
    """What of a curtailment the meter shows: how far the injection (withdrawal) stayed below the schedule, at most what was curtailed."""
    sign = 1 if cut.schedule_wh > 0 else -1
    return min(cut.energy_wh, max(sign * (cut.schedule_wh - injection_wh), 0))


def _depth(parents: Mapping[str, str], name: str) -> int:
    """Feeders above, that one included; more than there are in a circle."""
    depth = 0
    while name and depth <= len(parents):
        name, depth = parents[name], depth + 1
    return depth


def _is_below(parents: Mapping[str, str], feeder: str, top: str) -> bool:
    while feeder and feeder != top:
        feeder = parents[feeder]
    return feeder == top
