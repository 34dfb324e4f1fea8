"""Where the energy that each member used came from, period by period, to the Wh (docs/rules.md, "Scope 2").

Behind its meter a member uses its own generation first. What it draws from the park is, in this order: green energy delivered to it; then its part of
the grid's import, of generation that was delivered to nobody, and of discharge, each in proportion to what is still to be supplied, network losses
included. Exports take undelivered generation first, then discharge, then what passed through. Certificates of undelivered generation that are
gone are those of its exports first. So in every period

    withdrawal = direct + grid + undelivered + discharge        for each member, and
    import of the grid = grid parts of members + network        for the park.

Invariants: nothing is negative; all sums are exact; no Wh stands in two columns; what certificates say beyond the meters is left out and told.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.carbon.matching import hour_of, matched_wh
from exchange.errors import CheckFailedError

Int64Array = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

PARK_SUMS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flows:
    """Settled meters of n accounts in T periods, whole hours where hours are to be matched: Wh, [n, T] and [T]. `is_storage` [n]."""

    start_ns: Int64Array
    consumption_wh: Int64Array
    generation_wh: Int64Array
    grid_import_wh: Int64Array
    grid_export_wh: Int64Array
    losses_wh: Int64Array
    is_storage: BoolArray
    direct_wh: Int64Array
    covered_wh: Int64Array
    forgone_wh: Int64Array
    gone_wh: Int64Array  # [T], of generation delivered to nobody: certificates sold or expired


@dataclass(slots=True, eq=False)
class EnergySums:
    """Sums of members, [n] in Wh, and of the park. `grid_wh` and `network_wh` sum to the import.

    `direct_wh`: never more than the meters say. `forgone_wh`: own or direct green whose certificate is gone; `lost_wh`: the same of what was
    `undelivered_wh`. `covered_wh`: by granular certificates, never more than received in their period; what was beyond is `idle_wh`. `matched_wh`:
    green within the hour of use. `direct_beyond_wh`, `forgone_beyond_wh`: certificates of direct supply, and of green whose certificate is gone, that
    the meters do not bear out; they are in no other column.
    """

    consumption_wh: Int64Array
    generation_wh: Int64Array
    self_use_wh: Int64Array
    direct_wh: Int64Array
    grid_wh: Int64Array
    undelivered_wh: Int64Array
    lost_wh: Int64Array
    discharge_wh: Int64Array
    covered_wh: Int64Array
    idle_wh: Int64Array
    forgone_wh: Int64Array
    load_wh: Int64Array
    matched_wh: Int64Array
    # Import, export, losses, network's part of the import and of what is lost, generation of no storage, matched load, and certificates that are gone
    # beyond what was generated and delivered to nobody.
    park: Int64Array
    direct_beyond_wh: Int64Array
    forgone_beyond_wh: Int64Array

    @classmethod
    def zero(cls, n: int) -> "EnergySums":
        return cls(**{item.name: np.zeros(PARK_SUMS if item.name == "park" else n, np.int64) for item in fields(cls)})

    def add(self, other: "EnergySums") -> None:
        """Take in another span of time, in place."""
        for item in fields(self):
            getattr(self, item.name)[...] += getattr(other, item.name)

    @property
    def received_wh(self) -> Int64Array:
        """What an instrument has to cover: from the grid, or generated in the park and its certificate is gone."""
        received: Int64Array = self.grid_wh + self.lost_wh
        return received


def attribute(flows: Flows) -> EnergySums:
    """Sources of all energy used in the span. Raises CheckFailedError when the meters do not balance."""
    self_use = np.where(flows.is_storage[:, np.newaxis], 0, np.minimum(flows.consumption_wh, flows.generation_wh))
    net = flows.generation_wh - flows.consumption_wh
    withdrawal, injection = np.maximum(-net, 0), np.maximum(net, 0)
    injected = injection[~flows.is_storage].sum(axis=0)
    direct = _within_meters(flows.direct_wh, withdrawal, injected)
    forgone = np.minimum(flows.forgone_wh, self_use + direct)
    rest = withdrawal - direct
    generated = injected - direct.sum(axis=0)
    discharged = injection[flows.is_storage].sum(axis=0)
    balance = injection.sum(axis=0) + flows.grid_import_wh - withdrawal.sum(axis=0) - flows.grid_export_wh - flows.losses_wh
    _require(not balance.any(), "the meters of a period do not balance")
    exported = flows.grid_export_wh
    undelivered = np.maximum(generated - exported, 0)
    discharge = np.maximum(discharged - np.maximum(exported - generated, 0), 0)
    imported = flows.grid_import_wh - np.maximum(exported - generated - discharged, 0)
    wanted = np.vstack([rest, flows.losses_wh])
    grid = shares(imported, wanted)
    loose = shares(undelivered, wanted - grid)
    stored = wanted - grid - loose
    _require(bool((stored >= 0).all() and (stored.sum(axis=0) == discharge).all()), "sources and uses of a period do not agree")
    lost = shares(np.minimum(np.maximum(flows.gone_wh - np.minimum(exported, generated), 0), undelivered), loose)
    covered = np.minimum(flows.covered_wh, grid[:-1] + lost[:-1])
    load = np.where(flows.is_storage[:, np.newaxis], 0, flows.consumption_wh)
    green = np.where(flows.is_storage[:, np.newaxis], 0, self_use + direct - forgone + covered)
    hours = hour_of(flows.start_ns)
    own_generation = flows.generation_wh[~flows.is_storage].sum()
    of_park = matched_wh(load.sum(axis=0, keepdims=True), green.sum(axis=0, keepdims=True), hours)[0]
    network = flows.grid_import_wh.sum() - grid[:-1].sum()
    gone_beyond = np.maximum(flows.gone_wh - generated, 0).sum()
    park = [flows.grid_import_wh.sum(), exported.sum(), flows.losses_wh.sum(), network, lost[-1].sum(), own_generation, of_park, gone_beyond]
    return EnergySums(
        consumption_wh=flows.consumption_wh.sum(axis=1), generation_wh=flows.generation_wh.sum(axis=1), self_use_wh=self_use.sum(axis=1),
        direct_wh=direct.sum(axis=1), grid_wh=grid[:-1].sum(axis=1), undelivered_wh=loose[:-1].sum(axis=1),
        lost_wh=lost[:-1].sum(axis=1), discharge_wh=stored[:-1].sum(axis=1), covered_wh=covered.sum(axis=1),
        idle_wh=(flows.covered_wh - covered).sum(axis=1), forgone_wh=forgone.sum(axis=1), load_wh=load.sum(axis=1),
        matched_wh=matched_wh(load, green, hours), park=np.array(park, np.int64),
        direct_beyond_wh=(flows.direct_wh - direct).sum(axis=1), forgone_beyond_wh=(flows.forgone_wh - forgone).sum(axis=1),
    )  # fmt: skip


def _within_meters(direct_wh: Int64Array, withdrawal_wh: Int64Array, injected_wh: Int64Array) -> Int64Array:
    """Direct supply as far as the meters of now bear it out, [n, T]: certificates were issued by those of the first run, and a correction may say
    that less was used or generated. What is beyond supplied nobody and is `direct_beyond_wh`; of less generation all have
    their part. Whether a correction or a fault is behind it exchange.order_path.delivery_check says.
    """
    direct = np.minimum(direct_wh, withdrawal_wh)
    sums = direct.sum(axis=0)
    return shares(np.minimum(sums, injected_wh), direct) if np.any(sums > injected_wh) else direct


def shares(total: Int64Array, weights: Int64Array) -> Int64Array:
    """`total[t]` split over the rows of `weights[:, t]`, which sum to no less: in proportion, by the largest remainder, ties to the earlier row.

    [n, T]. No share passes its weight; each column sums to its total.
    """
    sums = weights.sum(axis=0)
    _require(bool((total <= sums).all() and (total >= 0).all()), "a split of more than there is room for")
    fits = int(total.max(initial=0)) * int(weights.max(initial=0)) < 2**62
    product, whole = total * (weights if fits else weights.astype(object)), np.maximum(sums, 1)  # integers of Python where 64 bits are not enough
    quota = product // whole
    remainder = (product - quota * whole).astype(np.int64)
    quota = quota.astype(np.int64)
    order = np.argsort(-remainder, axis=0, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(len(weights))[:, np.newaxis], axis=0)
    split: Int64Array = quota + (rank < total - quota.sum(axis=0))
    return split


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise CheckFailedError(f"carbon accounts: {what}")
