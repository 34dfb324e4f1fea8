"""A registry and the model of it, unit by unit."""

from exchange.registry.bundles import NO_ROW, Queue
from exchange.registry.lifecycle import UnitState
from exchange.registry.registry import Registry
from tests.exchange.registry.model import Model, Serial


def serials_of(registry: Registry, row: int) -> list[Serial]:
    found = registry.range_of(row)
    return [(found.issuance, number) for number in range(found.serial_from, found.serial_to + 1)]


def delivered_next(registry: Registry, asset: int, account: int) -> list[Serial]:
    """Units that can be sold, in the order in which sales deliver them."""
    if not registry.lots(asset, account, Queue.SELLABLE):
        return []
    tables, found = registry.table.tables, []
    row = int(tables.queues[int(tables.slot_of[asset]), account, int(Queue.SELLABLE)].first)
    while row != NO_ROW:
        found += serials_of(registry, row)
        row = int(tables.after[row])
    return found


def require_same(registry: Registry, model: Model, accounts: list[int]) -> None:
    """Owner, instrument, state and transfers of every unit, and what each account delivers next."""
    found = {}
    for row, bundle in enumerate(registry.rows):
        if int(bundle.state) != UnitState.SPLIT:
            for serial in serials_of(registry, row):
                assert serial not in found
                found[serial] = (int(bundle.account), int(bundle.asset), UnitState(int(bundle.state)).name, int(bundle.transfers))
    assert found == {serial: (unit.owner, unit.asset, unit.state, unit.transfers) for serial, unit in model.units.items()}
    for asset in model.resale:
        for account in accounts:
            assert delivered_next(registry, asset, account) == model.sellable(asset, account)
