"""Lines of a statement: their order, what each status means, and which of them stand on every statement."""

from enum import StrEnum
from typing import Final

import msgspec


class LineItem(StrEnum):
    """Lines in the order of the statement. Those of OPTIONAL stand there only where there is something to say."""

    ENERGY_BOUGHT = "energy_bought"
    ENERGY_SOLD = "energy_sold"
    BLOCK_BOUGHT = "block_bought"  # these two: of which in block contracts
    BLOCK_SOLD = "block_sold"
    CONTRACT_ENERGY = "contract_energy"
    GREEN_CONTRACT = "green_contract"
    DEFICIT = "deficit"
    SURPLUS = "surplus"
    NETTING_REFUND = "netting_refund"
    ENVIRONMENT = "environment"
    ENVIRONMENT_SOLD = "environment_sold"
    DEVIATION = "deviation"
    CURTAILMENT = "curtailment"
    HEAT = "heat"  # these two are metered, not traded
    COLD = "cold"
    PARK_FEE = "park_fee"
    TRADING_FEE = "trading_fee"
    VOLTAGE_ADDER = "voltage_adder"
    CAPACITY_CHARGE = "capacity_charge"
    NETWORK_ENERGY = "network_energy"
    DEMAND_CHARGE = "demand_charge"
    MECHANISM = "mechanism"
    POWER_FACTOR = "power_factor"
    SYSTEM_OPERATION = "system_operation"
    GOVERNMENT_FUNDS = "government_funds"


class LineStatus(StrEnum):
    """CHARGED counts in the total. INFORMATION is settled elsewhere, INSIDE_TARIFF is part of the deficit price, EXCLUDED is not in this bill."""

    CHARGED = "charged"
    INFORMATION = "information"
    INSIDE_TARIFF = "inside_tariff"
    EXCLUDED = "excluded"


STATUS: Final = dict.fromkeys(LineItem, LineStatus.CHARGED) | {
    LineItem.BLOCK_BOUGHT: LineStatus.INFORMATION,
    LineItem.BLOCK_SOLD: LineStatus.INFORMATION,
    LineItem.CONTRACT_ENERGY: LineStatus.INFORMATION,
    LineItem.HEAT: LineStatus.INFORMATION,
    LineItem.COLD: LineStatus.INFORMATION,
    LineItem.POWER_FACTOR: LineStatus.EXCLUDED,
    LineItem.SYSTEM_OPERATION: LineStatus.INSIDE_TARIFF,
    LineItem.GOVERNMENT_FUNDS: LineStatus.INSIDE_TARIFF,
}
OPTIONAL: Final = frozenset(
    {
        LineItem.BLOCK_BOUGHT, LineItem.BLOCK_SOLD, LineItem.GREEN_CONTRACT, LineItem.ENVIRONMENT_SOLD, LineItem.DEVIATION, LineItem.CURTAILMENT,
        LineItem.HEAT, LineItem.COLD, LineItem.NETWORK_ENERGY, LineItem.DEMAND_CHARGE, LineItem.MECHANISM,
    }
)  # fmt: skip


class Line(msgspec.Struct, frozen=True):
    """One line. `energy_wh` is what the amount is for; 0 where there is none."""

    item: LineItem
    status: LineStatus
    energy_wh: int = 0
    amount_micro: int = 0
