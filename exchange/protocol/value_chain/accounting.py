"""Documents of the carbon accounts: emission factors, activity data, norms of products, and the closing of a year."""

from typing import ClassVar, Final

import msgspec

from exchange.protocol.document import Document


class EmissionFactor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A published factor of electricity, versioned by publisher, year, region and kind: average, residual, fossil.

    One mg CO2 a kWh is one microgram a Wh, so energy times factor is exact. `year` is the year that was measured.
    """

    publisher: str
    year: int
    region: str
    kind: str
    mg_per_kwh: int
    source: str = ""

    @property
    def label(self) -> str:
        return f"{self.publisher} {self.year} {self.region} {self.kind}: {self.mg_per_kwh / 1e6:.4f} kgCO2/kWh"


class FuelFactor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What burning one `unit` (m3, t, GJ) of a fuel or of purchased heat means, versioned like a factor of electricity; its kind is `fuel`.

    Either `mg_co2_per_unit`, or by content: `ncv_kj_per_unit` (net calorific value), `carbon_ug_per_kj` (µg C a kJ is kg C a TJ / 1000) and
    `oxidation_ppm`. `mg_ce_per_unit`: milligrams of coal equivalent (kgce/m3 x 1e6).
    """

    publisher: str
    year: int
    region: str
    fuel: str
    unit: str
    mg_co2_per_unit: int = 0
    ncv_kj_per_unit: int = 0
    carbon_ug_per_kj: int = 0
    oxidation_ppm: int = 0
    mg_ce_per_unit: int = 0
    source: str = ""


class RegisterEmissionFactor(Document, frozen=True, kw_only=True):
    """A factor of electricity that was published after this program was."""

    SCHEMA: ClassVar[str] = "register_emission_factor"
    factor: EmissionFactor


class RegisterFuelFactor(Document, frozen=True, kw_only=True):
    """A factor of a fuel, or of purchased heat under the name `purchased_heat`: a later default, or the park's own measured content."""

    SCHEMA: ClassVar[str] = "register_fuel_factor"
    factor: FuelFactor


class RecordActivity(Document, frozen=True, kw_only=True):
    """Activity data (活动数据) of an account and month, `month` as 202607; always a new entry, never an edit.

    `kind`: fuel, process, purchased_heat, waste_heat_available, waste_heat_used, water_used, water_reused, solid_waste, solid_waste_used,
    product_output, product_energy, product_electricity. `subject` names the fuel, process or product. `quantity_milli`: thousandths of `unit`.
    `use` of a fuel: combustion, conversion, feedstock, bunker. `revision`: 1 at first, then one more each time. `evidence`: SHA-256 of what proves
    it, or empty. `after_closing`: a correction by the operator to a closed year; it is shown beside the closed account.
    """

    SCHEMA: ClassVar[str] = "record_activity"
    account: int
    month: int
    kind: str
    quantity_milli: int
    unit: str
    subject: str = ""
    use: str = ""
    revision: int = 1
    evidence: bytes = b""
    after_closing: bool = False


class SetProductNorm(Document, frozen=True, kw_only=True):
    """Level 2 of the national norm on the unit energy of a product (单位产品能耗限额 2 级), in mg of coal equivalent a unit, from a year on."""

    SCHEMA: ClassVar[str] = "set_product_norm"
    product: str
    unit: str
    mg_ce_per_unit: int
    from_year: int
    source: str = ""


class CloseCarbonYear(Document, frozen=True, kw_only=True):
    """The accounts of a year are final. It carries its factors, so that neither later factors nor another release of this program move them."""

    SCHEMA: ClassVar[str] = "close_carbon_year"
    year: int
    factors: list[EmissionFactor]
    fuels: list[FuelFactor]


ACCOUNTING: Final[tuple[type[Document], ...]] = (RegisterEmissionFactor, RegisterFuelFactor, RecordActivity, SetProductNorm, CloseCarbonYear)
