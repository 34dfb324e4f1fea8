"""What an enterprise tells its customers of a product and year (docs/rules.md, "Scope 2"): green share, kg CO2 a unit, and the retirements behind it.

The electricity of an account is split over its products by what it recorded for each (`product_electricity`); an account with one product needs no
record. Every amount of the account is split in that proportion by the largest remainder, so the statements of all products sum to the account.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from exchange.carbon.activity import ActivityEntry, ActivityKind
from exchange.carbon.claimed_green import Retirement
from exchange.carbon.claims import CarbonAccount, Instrument, counting_wh
from exchange.carbon.matching import Share
from exchange.carbon.scope2 import MemberAccount
from exchange.errors import InputError
from exchange.units import divide_half_even, split_by_largest_remainder

MILLI: Final = 1000
_SPLIT: Final = (
    "consumption_wh", "self_use_wh", "direct_wh", "forgone_wh", "direct_beyond_wh", "covered_wh", "gec_used_wh", "scope1_g", "scope2_location_g",
    "scope2_market_g",
)  # fmt: skip


class ProductStatement(msgspec.Struct, frozen=True, kw_only=True):
    """Energies in Wh, emissions in grams; `_mg_per_unit`: milligrams of CO2 a unit of output, half-even. Shares are ppm of the electricity used.

    The green share is `direct` (own use and direct supply with their certificates) plus `certificate` (GEC and granular). Direct supply that
    certificates say and the meters do not bear out, `direct_beyond_wh`, is not in it. `factors` names those used.
    """

    year: int
    account: int
    member: str
    product: str
    unit: str
    output_milli: int
    electricity_wh: int
    direct_green_wh: int
    certificate_green_wh: int
    direct_beyond_wh: int
    direct_share_ppm: int
    certificate_share_ppm: int
    green_share_ppm: int
    scope1_g: int
    scope2_location_g: int
    scope2_market_g: int
    direct_mg_per_unit: int
    location_mg_per_unit: int
    market_mg_per_unit: int
    factors: list[str]
    retirements: list[Retirement]
    as_of_seq: int
    final: bool


def product_statement(
    year: int, product: str, member: MemberAccount, entries: Iterable[ActivityEntry], retirements: Sequence[Retirement], factors: Sequence[str],
    as_of_seq: int, *, final: bool,
) -> ProductStatement:  # fmt: skip
    """The statement of one product. `entries`: those of the account that count. Raises InputError where the records do not say what it needs."""
    outputs, power, unit = _records(entries, member.account, product)
    row = sorted(outputs).index(product)
    weights = _weights(outputs, power, member)
    part = {name: _part(getattr(member, name), weights, row) for name in _SPLIT}
    own = {Instrument.SELF_USE: part["self_use_wh"], Instrument.DIRECT_SUPPLY: part["direct_wh"]}
    direct_wh = max(counting_wh(own, CarbonAccount.PRODUCT) - part["forgone_wh"], 0)  # split apart, they may miss each other by a Wh
    claims = {Instrument.GEC: part["gec_used_wh"], Instrument.GRANULAR: part["covered_wh"]}
    certificate_wh = counting_wh(claims, CarbonAccount.PRODUCT)
    used_wh, output = part["consumption_wh"], outputs[product]

    def per_unit(emission_g: int) -> int:
        return divide_half_even(emission_g * 1000 * MILLI, output)

    return ProductStatement(
        year=year, account=member.account, member=member.name, product=product, unit=unit, output_milli=output, electricity_wh=used_wh,
        direct_green_wh=direct_wh, certificate_green_wh=certificate_wh, direct_beyond_wh=part["direct_beyond_wh"],
        direct_share_ppm=Share(direct_wh, used_wh).ppm, certificate_share_ppm=Share(certificate_wh, used_wh).ppm,
        green_share_ppm=Share(direct_wh + certificate_wh, used_wh).ppm,
        scope1_g=part["scope1_g"], scope2_location_g=part["scope2_location_g"], scope2_market_g=part["scope2_market_g"],
        direct_mg_per_unit=per_unit(part["scope1_g"]), location_mg_per_unit=per_unit(part["scope2_location_g"]),
        market_mg_per_unit=per_unit(part["scope2_market_g"]), factors=list(factors),
        retirements=[r for r in retirements if r.account == member.account], as_of_seq=as_of_seq, final=final,
    )  # fmt: skip


def _records(entries: Iterable[ActivityEntry], account: int, product: str) -> tuple[dict[str, int], dict[str, int], str]:
    outputs: dict[str, int] = {}
    power: dict[str, int] = {}
    unit = ""
    for entry in entries:
        if entry.key.account != account:
            continue
        if entry.key.kind == ActivityKind.PRODUCT_OUTPUT:
            outputs[entry.key.subject] = outputs.get(entry.key.subject, 0) + entry.quantity_milli
            unit = entry.unit if entry.key.subject == product else unit
        elif entry.key.kind == ActivityKind.PRODUCT_ELECTRICITY:
            power[entry.key.subject] = power.get(entry.key.subject, 0) + entry.quantity_milli
    if outputs.get(product, 0) <= 0:
        raise InputError(f"account {account} has recorded no output of {product}")
    return outputs, power, unit


def _weights(outputs: dict[str, int], power: dict[str, int], member: MemberAccount) -> list[int]:
    """Electricity of each product in Wh, by name. What is used for none of them is the last weight."""
    if len(outputs) == 1 and not power:
        return [1, 0]
    missing = sorted(product for product in outputs if product not in power)
    if missing:
        raise InputError(f"account {member.account} has recorded no electricity of {missing[0]}")
    used = [power[product] for product in sorted(outputs)]  # thousandths of a kWh are Wh
    if sum(used) > member.consumption_wh:
        raise InputError(f"account {member.account} has recorded more electricity of its products than its meters show")
    return [*used, member.consumption_wh - sum(used)]


def _part(total: int, weights: list[int], row: int) -> int:
    return split_by_largest_remainder(total, weights)[row] if sum(weights) else 0
