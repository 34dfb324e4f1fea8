"""Names on carbon reports and pages, in English and Chinese, and how figures are written there."""

import unicodedata
from typing import Final, Literal

from exchange.units import PPM, WH_PER_MWH, divide_half_even

Language = Literal["en", "zh"]
COLUMN: Final[dict[Language, int]] = {"en": 0, "zh": 1}
_G_PER_KG: Final = 1000

NAMES: Final[dict[str, tuple[str, str]]] = {
    "carbon_per_energy": ("carbon per unit energy, tCO2/tce", "单位能耗碳排放，tCO2/tce"),
    "clean_energy": ("clean energy share", "清洁能源消费占比"),
    "product_energy": ("products at or below level 2 of their norm", "单位产品能耗达到 2 级的产品占比"),
    "solid_waste": ("industrial solid waste used", "工业固废综合利用率"),
    "waste_heat": ("waste heat, cold and pressure used", "余热余冷余压综合利用率"),
    "water_reuse": ("industrial water reused", "工业用水重复利用率"),
    "self_use_of_generation": ("own use of available generation", "自发自用电量占可用发电量"),
    "self_use_of_load": ("own use of total use", "自发自用电量占总用电量"),
    "export_of_generation": ("feed-in of available generation", "上网电量占可用发电量"),
    "park_direct_share": ("directly supplied of total use", "绿电直供占总用电量"),
    "no_data": ("no activity data", "无活动数据"),
    "no_energy": ("no energy recorded", "无能耗数据"),
    "below_the_bands": ("below 0.2 Mtce the notice has no band", "年综合能耗低于 20 万吨标准煤，通知未设分档"),
    "part_beyond_whole": ("a part is larger than its whole", "分项大于总量"),
    "norm_or_energy_missing": ("norm or energy of a product is missing", "缺少产品限额或能耗数据"),
    "average": ("average factor", "平均因子"),
    "residual": ("residual factor", "剩余因子"),
    "gec": ("GEC", "绿证"),
    "granular": ("granular certificate", "分时绿证"),
}


def name(key: str, language: Language) -> str:
    return NAMES[key][COLUMN[language]] if key else ""


def tonnes(grams: int) -> str:
    """Grams as tonnes to the kilogram, half-even."""
    return _decimal(divide_half_even(grams, _G_PER_KG), 3)


def mwh(energy_wh: int) -> str:
    """Wh as MWh to the kWh, half-even."""
    return _decimal(divide_half_even(energy_wh, WH_PER_MWH // 1000), 3)


def percent(ppm: int | None) -> str:
    """Two decimals, half-even; whether a threshold is met is exact and stands beside."""
    return "-" if ppm is None else f"{_decimal(divide_half_even(ppm, 100), 2)} %"


def ratio(ppm: int | None) -> str:
    """Millionths as a number of three decimals, half-even."""
    return "-" if ppm is None else _decimal(divide_half_even(ppm, PPM // 1000), 3)


def kilograms_per_unit(milligrams: int) -> str:
    """Milligrams as kg with three decimals, half-even."""
    return _decimal(divide_half_even(milligrams, 1000), 3)


def quantity(milli: int) -> str:
    """Thousandths, exact."""
    return _decimal(milli, 3)


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """Text filled with spaces to a width in terminal cells; a Chinese character takes two."""
    used = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
    spaces = " " * max(cells - used, 0)
    return spaces + text if right else text + spaces


def _decimal(scaled: int, decimals: int) -> str:
    whole, rest = divmod(abs(scaled), 10**decimals)
    return f"{'-' if scaled < 0 else ''}{whole:,}.{rest:0{decimals}}"
