"""Rules of settlement, green contracts and tariffs: documents that later settlements go by. None of them reaches back into the past."""

from typing import TYPE_CHECKING, Final

from exchange.accounts.permissions import Role
from exchange.order_path.business.rules import BusinessRuleError, Caller, Handler, Result, member, require
from exchange.protocol.document import Document
from exchange.protocol.value_chain.settlement import GreenContract, SetSettlementRules, SetTariff
from exchange.registry.months import is_month, month_number, start_of_month_ns
from exchange.settlement.day_input import ImbalanceRule
from exchange.settlement.tariffs import KINDS, Tariff
from exchange.settlement.terms import ALPHA_LIMIT_PPM, Contract
from exchange.units import PERIOD_NS, PPM, WH_PER_MWH

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

# 1,000 CNY/kWh in ticks, a million of MWh, and prices of a tariff up to a million CNY.
_PRICE_LIMIT_TICKS: Final = 10_000_000
_ENERGY_LIMIT_WH: Final = 10**6 * WH_PER_MWH
_TARIFF_LIMIT_MICRO: Final = 10**12
_GENERATORS: Final = frozenset({Role.GENERATOR, Role.PROSUMER})


def set_settlement_rules(exchange: "Exchange", document: SetSettlementRules, caller: Caller) -> Result:
    """What imbalance costs from a time on."""
    rules = exchange.rooms.terms.rules
    require(document.imbalance in {str(rule) for rule in ImbalanceRule}, "unknown_imbalance_rule")
    require(0 <= document.alpha_ppm <= ALPHA_LIMIT_PPM, "alpha_out_of_range")
    require(document.imbalance == ImbalanceRule.DUAL or document.alpha_ppm == 0, "alpha_is_of_dual_prices")
    require(document.effective_ns >= caller.stamp_ns, "effective_in_the_past")
    require(document.effective_ns % PERIOD_NS == 0, "effective_off_grid")
    require(not rules or document.effective_ns > rules[-1][0], "effective_before_the_last_rules")
    rules.append((document.effective_ns, document.imbalance, document.alpha_ppm))
    exchange.notify("settlement_rules", {"version": len(rules), "imbalance": document.imbalance, "effective_ns": document.effective_ns})
    return {"version": len(rules)}


def green_contract(exchange: "Exchange", document: GreenContract, caller: Caller) -> Result:
    """A bilateral green contract of a month that has not begun."""
    terms = exchange.rooms.terms
    require(0 < len(document.reference) <= 64, "reference_malformed")
    require(all(contract.reference != document.reference for contract in terms.contracts.values()), "reference_taken")
    member(exchange, document.buyer)
    require(member(exchange, document.generator).role in _GENERATORS and document.buyer != document.generator, "parties_do_not_fit")
    require(any(device.is_renewable for device in exchange.rooms.devices.of_account(document.generator)), "generator_has_no_renewable_device")
    require(is_month(document.month), "month_malformed")
    month = month_number(document.month)
    require(start_of_month_ns(month) >= caller.stamp_ns, "month_has_begun")
    require(0 < document.energy_wh <= _ENERGY_LIMIT_WH, "energy_out_of_range")
    prices = (document.energy_price_ticks, document.environment_price_ticks, document.deviation_price_ticks)
    require(all(0 <= price <= _PRICE_LIMIT_TICKS for price in prices), "price_out_of_range")
    number = len(terms.contracts) + 1
    terms.contracts[number] = Contract(
        number, document.reference, document.buyer, document.generator, month, document.energy_wh, *prices
    )
    exchange.notify("green_contract", {"contract": number, "buyer": document.buyer, "generator": document.generator, "month": document.month})
    return {"contract": number}


def set_tariff(exchange: "Exchange", document: SetTariff, caller: Caller) -> Result:
    """Network charges and mechanism price of an account from a month on."""
    member(exchange, document.account)
    require(document.kind in KINDS, "unknown_tariff")
    require(document.effective_ns >= caller.stamp_ns, "effective_in_the_past")
    rows = exchange.rooms.terms.tariffs.get(document.account, [])
    require(not rows or document.effective_ns > rows[-1][0], "effective_before_the_last_rules")
    prices = (
        document.capacity_micro_per_kva, document.demand_micro_per_kw, document.energy_micro_per_kwh, document.mechanism_micro_per_kwh
    )  # fmt: skip
    require(all(0 <= price <= _TARIFF_LIMIT_MICRO for price in prices), "price_out_of_range")
    require(0 <= document.connected_kva <= 10**7, "capacity_out_of_range")
    require(0 <= document.load_factor_ppm <= PPM and 0 <= document.mechanism_share_ppm <= PPM, "share_out_of_range")
    if document.kind == "capacity":
        require(document.connected_kva > 0 and document.demand_micro_per_kw == 0, "capacity_tariff_is_by_kva")
    tariff = Tariff(
        document.kind, document.connected_kva, document.capacity_micro_per_kva, document.demand_micro_per_kw, document.energy_micro_per_kwh,
        document.load_factor_ppm, document.mechanism_micro_per_kwh, document.mechanism_share_ppm,
    )  # fmt: skip
    exchange.rooms.terms.tariffs.setdefault(document.account, []).append((document.effective_ns, tariff))
    exchange.notify("tariff", {"account": document.account, "kind": document.kind, "effective_ns": document.effective_ns})
    return {"effective_ns": document.effective_ns}


def require_month(month: str) -> int:
    """Number of a month by its name. Raises BusinessRuleError."""
    if not is_month(month):
        raise BusinessRuleError("month_malformed")
    return month_number(month)


HANDLERS: Final[dict[type[Document], Handler]] = {
    SetSettlementRules: set_settlement_rules,
    GreenContract: green_contract,
    SetTariff: set_tariff,
}
