"""What a day of the demo leaves out is exactly what the laboratory's tables add to those of the park."""

from clients.laboratory.scenario import schema
from clients.laboratory.scenario.convert import fields_of
from clients.scenarios.schema import (
    LABORATORY_MEMBER_KEYS,
    LABORATORY_NETWORK_KEYS,
    LABORATORY_TABLES,
    MemberTable,
    NetworkTable,
    ParkTable,
    Table,
)


def added(ours: type[Table], theirs: type[Table]) -> set[str]:
    return fields_of(ours).keys() - fields_of(theirs).keys()


def test_keys_of_the_laboratory() -> None:
    assert added(schema.ScenarioTable, ParkTable) == LABORATORY_TABLES
    assert added(schema.LaboratoryMemberTable, MemberTable) == LABORATORY_MEMBER_KEYS
    assert added(schema.LaboratoryNetworkTable, NetworkTable) == LABORATORY_NETWORK_KEYS
