"""The green attribute of delivered energy, decided after metering (docs/rules.md, "Green attribute"): who holds each green Wh of a day.

    flows = green_flows(day)      # rows by quarter-hour, device, use and holder; bought and sold attribute by account

In every quarter-hour, in this order:
1. Own use. An account's green generation serves its own consumption first, behind its own meter.
2. Green contracts, by id: the least of what the generator still has, what the buyer's meter still took, and what the contract has left.
3. The market. What net sellers have generated green and sold goes to net buyers in proportion to min(net bought, metered use).
4. What is left stays with its generator.
Generation without a registered renewable device carries nothing, so discharge, grid-charged energy and resale carry none.

Invariants: the rows of a device and period sum to its generation; a holder never gets more than its meter took, a net buyer never more than it
bought, a seller never delivers more than it sold. Splits are by largest remainder, so all of it is exact.
Cost: a few sorts over devices and accounts by period, in arrays; rows grow with devices plus buyers, not with their product, because both sides of
the market are laid along one line and cut where either ends. The line of buyers begins one account further each quarter-hour.
"""

from dataclasses import dataclass

import numpy as np

from exchange.registry.green_output import GreenOutput, GreenUse
from exchange.settlement.day_input import DayInput, GreenInput, Int64Array
from exchange.settlement.shares import split_columns
from exchange.units import PERIOD_NS, POWER_LOT_WH


@dataclass(frozen=True, slots=True, eq=False)
class GreenFlows:
    """`bought_wh` and `sold_wh`: attribute that changed hands in the market, [n, T]. `contract_wh`: delivered by each green contract, [c, T].

    `on_grid_wh` is green generation beyond own use, [n, T].
    """

    output: GreenOutput
    bought_wh: Int64Array
    sold_wh: Int64Array
    contract_wh: Int64Array
    on_grid_wh: Int64Array


# Rows of one use: column of the period, row of the device, row of the holder, Wh.
_Rows = tuple[GreenUse, Int64Array, Int64Array, Int64Array, Int64Array]


def contract_volumes_wh(day: DayInput, green: GreenInput) -> tuple[Int64Array, Int64Array]:
    """(volume of each green contract by period [c, T], each device's own use [d, T]): steps 1 and 2."""
    own_use = _own_use_wh(day, green)
    on_grid = _by_account(day, green, green.generation_wh - own_use)
    use = np.maximum(-day.injection_wh, 0)
    volumes = np.zeros((len(green.contract_left_wh), len(day.symbols)), np.int64)
    for index, (buyer, generator, left_wh) in enumerate(
        zip(green.contract_buyer_row.tolist(), green.contract_generator_row.tolist(), green.contract_left_wh.tolist(), strict=True)
    ):
        until = np.minimum(np.cumsum(np.minimum(on_grid[generator], use[buyer])), left_wh)
        volumes[index] = np.diff(until, prepend=0)
        on_grid[generator] -= volumes[index]
        use[buyer] -= volumes[index]
    return volumes, own_use


def green_flows(day: DayInput, green: GreenInput) -> GreenFlows:
    """Who holds the green energy of a day. O(T (d + n) log(d + n))."""
    contract_wh, own_use = contract_volumes_wh(day, green)
    left = green.generation_wh - own_use
    on_grid = _by_account(day, green, left)
    use = np.maximum(-day.injection_wh, 0)
    rows: list[_Rows] = [_rows_of(GreenUse.SELF_USE, own_use, green.account_row)]
    for index, (buyer, generator) in enumerate(zip(green.contract_buyer_row.tolist(), green.contract_generator_row.tolist(), strict=True)):
        own = np.flatnonzero(green.account_row == generator)
        part = split_columns(contract_wh[index], left[own])
        left[own] -= part
        use[buyer] -= contract_wh[index]
        column, device = np.nonzero(part.T)
        rows.append((GreenUse.DELIVERED, column, own[device], np.full(len(column), buyer), part.T[column, device]))
    position = (day.net_lots + day.contract_lots) * POWER_LOT_WH
    offered = _offered_wh(day, green, left, np.maximum(-position, 0))
    wanted = np.minimum(np.maximum(position, 0), use)
    delivered = np.minimum(offered.sum(axis=0), wanted.sum(axis=0))
    sold, bought = split_columns(delivered, offered), split_columns(delivered, wanted)
    rows.append(_matched(day, sold, bought))
    rows.append(_rows_of(GreenUse.EXPORTED, left - sold, green.account_row))
    return GreenFlows(_output(day, green, rows), bought, _by_account(day, green, sold), contract_wh, on_grid)


def _own_use_wh(day: DayInput, green: GreenInput) -> Int64Array:
    """Step 1 by device; several devices of an account share its own use in proportion to what they generated."""
    total = np.minimum(_by_account(day, green, green.generation_wh), day.readings.consumption_wh)
    return _split_among_devices(green, total, green.generation_wh)


def _offered_wh(day: DayInput, green: GreenInput, left: Int64Array, sold_wh: Int64Array) -> Int64Array:
    """What each device has for the market: the account's net sale, at most what is left of its green generation."""
    return _split_among_devices(green, np.minimum(sold_wh, _by_account(day, green, left)), left)


def _split_among_devices(green: GreenInput, totals: Int64Array, weights: Int64Array) -> Int64Array:
    """totals[n, T] of accounts to their devices [d, T] by weight; an account's total is at most the sum of its weights."""
    shares = np.minimum(totals[green.account_row], weights)
    accounts, counts = np.unique(green.account_row, return_counts=True)
    for account in accounts[counts > 1].tolist():
        own = np.flatnonzero(green.account_row == account)
        shares[own] = split_columns(totals[account], weights[own])
    return shares


def _by_account(day: DayInput, green: GreenInput, of_devices: Int64Array) -> Int64Array:
    totals = np.zeros((len(day.accounts), len(day.symbols)), np.int64)
    np.add.at(totals, green.account_row, of_devices)
    return totals


def _rows_of(use: GreenUse, of_devices: Int64Array, holder_row: Int64Array) -> _Rows:
    column, device = np.nonzero(of_devices.T)
    return use, column, device, holder_row[device], of_devices.T[column, device]


def _matched(day: DayInput, sold: Int64Array, bought: Int64Array) -> _Rows:
    """Which buyer gets which device's energy: both sides of every period on one line, cut where either ends.

    Both sides of a period have the same sum, so the lines of all periods can be one. The first buyer moves on by one row each quarter-hour.
    """
    n = len(bought)
    turned = (np.arange(n)[:, np.newaxis] + day.period_starts_ns // PERIOD_NS) % n
    ends_sold = np.cumsum(sold.T.ravel())
    ends_bought = np.cumsum(np.take_along_axis(bought, turned, axis=0).T.ravel())
    cuts = np.union1d(ends_sold, ends_bought)
    cuts = cuts[cuts > 0]
    energy = np.diff(cuts, prepend=0)
    of_sold = np.searchsorted(ends_sold, cuts)
    of_bought = np.searchsorted(ends_bought, cuts)
    column = of_sold // max(len(sold), 1)
    return GreenUse.DELIVERED, column, of_sold % max(len(sold), 1), turned.T.ravel()[of_bought], energy


def _output(day: DayInput, green: GreenInput, rows: list[_Rows]) -> GreenOutput:
    """All rows in the order of (period, device, use, holder), rows with the same key as one."""
    column, device, holder, energy = (np.concatenate([np.asarray(part[place], np.int64) for part in rows]) for place in range(1, 5))
    use = np.concatenate([np.full(len(part[1]), int(part[0]), np.int64) for part in rows])
    key = ((column * max(len(green.devices), 1) + device) * (len(GreenUse) + 1) + use) * len(day.accounts) + holder
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    total = np.zeros(len(first), np.int64)
    np.add.at(total, group, energy)
    return GreenOutput(
        period_start_ns=day.period_starts_ns[column[first]],
        device=green.devices[device[first]],
        use=use[first],
        holder=day.accounts[holder[first]],
        energy_wh=total,
    )
