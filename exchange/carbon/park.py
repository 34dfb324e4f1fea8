"""Account of the park by the method of national zero-carbon parks (docs/rules.md, "Park accounts"): CO2 within the boundary, a calendar year.

    E_park = E_energy + E_process,  E_energy = E_fuel + E_conversion + E_indirect

In micrograms until it is shown. One kWh lowers at most one of direct supply, GEC and export deduction: direct supply is not in the import, and a GEC
or a deduction only counts against import that nothing else has covered.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from exchange.carbon.activity import ActivityEntry, ActivityKind, FuelUse
from exchange.carbon.claims import CarbonAccount, Instrument, counting_wh
from exchange.carbon.factors import PURCHASED_HEAT, UG_PER_G, FactorBook, coal_equivalent_ug, electricity_ug, fuel_ug, grams
from exchange.protocol.value_chain.accounting import EmissionFactor
from exchange.units import PPM, divide_half_even


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkElectricity:
    """A year at the park's boundary, Wh. `generation_wh`: of all but storage, inside. `forgone_wh`: green used inside, its certificate gone.

    `deductible_export_wh`: exported, and its GEC neither sold nor tradable. `direct_beyond_wh`, `forgone_beyond_wh`: what certificates say of direct
    supply and of forgone green beyond the meters, which counts nowhere.
    """

    import_wh: int
    export_wh: int
    generation_wh: int
    forgone_wh: int = 0
    gec_retired_wh: int = 0
    granular_retired_wh: int = 0
    deductible_export_wh: int = 0
    direct_beyond_wh: int = 0
    forgone_beyond_wh: int = 0

    @property
    def used_wh(self) -> int:
        """All electricity that stayed in the park, losses included."""
        return self.import_wh + self.generation_wh - self.export_wh


class ParkAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Grams of CO2, Wh, and grams of coal equivalent. E_park = fuel + conversion + indirect + process; bunker is beside it.

    `indirect_factor` is what received power counts at. `gec_idle_wh`: retired beyond the import they could cover. `direct_beyond_wh`,
    `forgone_beyond_wh`: certificates of direct supply, and sold or expired ones, beyond what the meters bear out: shown, and counted nowhere.
    """

    fuel_g: int
    conversion_g: int
    indirect_electricity_g: int
    indirect_heat_g: int
    process_g: int
    total_g: int
    bunker_g: int
    energy_gce: int
    electricity_used_wh: int
    import_wh: int
    export_wh: int
    generation_wh: int
    forgone_wh: int
    direct_beyond_wh: int
    forgone_beyond_wh: int
    gec_used_wh: int
    gec_idle_wh: int
    export_deducted_wh: int
    charged_wh: int
    indirect_factor: str
    emission_ug: int
    energy_ugce: int
    indirect_mg_per_kwh: int

    @property
    def micro_t_per_tce(self) -> int | None:
        """Carbon per unit energy (单位能耗碳排放) in millionths of a tCO2/tce, half-even; None without energy."""
        return None if self.energy_ugce == 0 else divide_half_even(self.emission_ug * PPM, self.energy_ugce)


@dataclass(frozen=True, slots=True)
class FuelSums:
    """Micrograms of CO2 by what became of fuels and heat, and of coal equivalent."""

    combustion_ug: int = 0
    conversion_ug: int = 0
    bunker_ug: int = 0
    heat_ug: int = 0
    process_ug: int = 0
    energy_ugce: int = 0

    @property
    def scope1_ug(self) -> int:
        return self.combustion_ug + self.conversion_ug + self.process_ug


def sum_activities(entries: Iterable[ActivityEntry], factors: FactorBook) -> FuelSums:
    """E_fuel, E_conversion, E_process and heat of the entries that count. Feedstock is left out whole.

    Raises InputError for a fuel without a factor in that year.
    """
    emitted = dict.fromkeys(FuelUse, 0)
    heat_ug = process_ug = energy_ugce = 0
    for entry in entries:
        if entry.key.kind == ActivityKind.FUEL and entry.key.use != FuelUse.FEEDSTOCK:
            factor = factors.fuel(entry.key.subject)
            emitted[FuelUse(entry.key.use)] += fuel_ug(entry.quantity_milli, factor)
            if entry.key.use != FuelUse.BUNKER:
                energy_ugce += coal_equivalent_ug(entry.quantity_milli, factor)
        elif entry.key.kind == ActivityKind.PURCHASED_HEAT:
            factor = factors.fuel(PURCHASED_HEAT)
            heat_ug += fuel_ug(entry.quantity_milli, factor)
            energy_ugce += coal_equivalent_ug(entry.quantity_milli, factor)
        elif entry.key.kind == ActivityKind.PROCESS:
            process_ug += entry.quantity_milli * UG_PER_G
    return FuelSums(emitted[FuelUse.COMBUSTION], emitted[FuelUse.CONVERSION], emitted[FuelUse.BUNKER], heat_ug, process_ug, energy_ugce)


def charged_import(power: ParkElectricity, *, deduct_export: bool) -> tuple[int, int, int]:
    """(Wh that count at the factor, by GEC, by deduction of export) of the import, each Wh lowered once."""
    base_wh = power.import_wh + power.forgone_wh
    claims = {Instrument.GEC: power.gec_retired_wh, Instrument.GRANULAR: power.granular_retired_wh}
    gec_wh = min(counting_wh(claims, CarbonAccount.PARK_INDICATOR), base_wh)
    export_wh = min(power.deductible_export_wh, power.export_wh, power.import_wh, base_wh - gec_wh) if deduct_export else 0
    return base_wh - gec_wh - export_wh, gec_wh, export_wh


def park_account(
    power: ParkElectricity, fuels: FuelSums, factor: EmissionFactor, electricity_mg_ce_per_kwh: int, *, deduct_export: bool
) -> ParkAccount:
    """The account of a year. `factor`: average or residual, as the park chose; `deduct_export`: net of deductible export instead of gross."""
    charged_wh, gec_wh, export_wh = charged_import(power, deduct_export=deduct_export)
    electricity = electricity_ug(charged_wh, factor)
    total = fuels.scope1_ug + electricity + fuels.heat_ug
    energy = fuels.energy_ugce + power.used_wh * electricity_mg_ce_per_kwh
    return ParkAccount(
        fuel_g=grams(fuels.combustion_ug), conversion_g=grams(fuels.conversion_ug), indirect_electricity_g=grams(electricity),
        indirect_heat_g=grams(fuels.heat_ug), process_g=grams(fuels.process_ug), total_g=grams(total), bunker_g=grams(fuels.bunker_ug),
        energy_gce=grams(energy), electricity_used_wh=power.used_wh, import_wh=power.import_wh, export_wh=power.export_wh,
        generation_wh=power.generation_wh, forgone_wh=power.forgone_wh, direct_beyond_wh=power.direct_beyond_wh,
        forgone_beyond_wh=power.forgone_beyond_wh, gec_used_wh=gec_wh, gec_idle_wh=power.gec_retired_wh - gec_wh,
        export_deducted_wh=export_wh, charged_wh=charged_wh, indirect_factor=factor.label, emission_ug=total, energy_ugce=energy,
        indirect_mg_per_kwh=factor.mg_per_kwh,
    )  # fmt: skip
