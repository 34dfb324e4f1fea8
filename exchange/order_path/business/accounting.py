"""Documents of the carbon accounts: factors, activity data, norms, closed years (docs/rules.md, "Emission factors" and "Park accounts")."""

from typing import TYPE_CHECKING, Final

from exchange.accounts.permissions import Role
from exchange.carbon.activity import DEFAULT_FUELS, ActivityKind, activity_problem, key_of
from exchange.carbon.factors import FactorKind, fuel_problem, grid_problem, same_version
from exchange.order_path.business.rules import Caller, Handler, Result, member, require
from exchange.order_path.carbon_queries import month_start_ns, year_start_ns
from exchange.protocol.document import Document
from exchange.protocol.value_chain.accounting import (
    CloseCarbonYear,
    RecordActivity,
    RegisterEmissionFactor,
    RegisterFuelFactor,
    SetProductNorm,
)

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_MG_CE_LIMIT: Final = 10**13


def register_emission_factor(exchange: "Exchange", document: RegisterEmissionFactor, _caller: Caller) -> Result:
    """A factor of electricity; a version that was registered is never replaced."""
    problem = grid_problem(document.factor)
    require(problem is None, str(problem))
    factors = exchange.rooms.carbon.grid
    require(not same_version(document.factor, factors), "factor_is_registered")
    factors.append(document.factor)
    exchange.notify("emission_factor", {"factor": document.factor.label})
    return {"factors": len(factors)}


def register_fuel_factor(exchange: "Exchange", document: RegisterFuelFactor, _caller: Caller) -> Result:
    """A factor of a fuel. Its unit is that of the fuel's other factors."""
    factor = document.factor
    problem = fuel_problem(factor)
    require(problem is None, str(problem))
    factors = exchange.rooms.carbon.fuels
    require(not same_version(factor, factors), "factor_is_registered")
    known = _fuel_unit(exchange, factor.fuel)
    require(known in {None, factor.unit}, "unit_is_another")
    factors.append(factor)
    exchange.notify("fuel_factor", {"fuel": factor.fuel, "year": factor.year, "publisher": factor.publisher})
    return {"factors": len(factors)}


def record_activity(exchange: "Exchange", document: RecordActivity, caller: Caller) -> Result:
    """An entry of activity data: one's own, or the operator's for anybody. A month can be filled from its first day; a closed year only corrected."""
    member(exchange, document.account)
    operates = member(exchange, caller.account).role is Role.OPERATOR
    require(operates or document.account == caller.account, "not_your_account")
    problem = activity_problem(document)
    require(problem is None, str(problem))
    books = exchange.rooms.carbon
    if document.kind == ActivityKind.FUEL:
        unit = _fuel_unit(exchange, document.subject)
        require(unit is not None, "unknown_fuel")
        require(document.unit == unit, "unit_is_another")
    else:
        require(books.activities.unit_of(document.kind, document.subject) in {None, document.unit}, "unit_is_another")
    require(month_start_ns(document.month) <= caller.stamp_ns, "month_has_not_begun")
    closed = document.month // 100 in books.closings
    require(not closed or (document.after_closing and operates), "year_is_closed")
    require(closed or not document.after_closing, "year_is_open")
    require(document.revision == books.activities.next_revision(key_of(document)), "revision_is_not_the_next")
    entry = books.activities.add(document, caller.account, caller.stamp_ns)
    exchange.notify("activity", {"entry": entry.number, "account": document.account, "month": document.month, "kind": document.kind})
    return {"entry": entry.number}


def set_product_norm(exchange: "Exchange", document: SetProductNorm, _caller: Caller) -> Result:
    """Level 2 of a product's norm from a year on that is not closed."""
    require(0 < len(document.product) <= 64 and 0 < len(document.unit) <= 16 and len(document.source) <= 300, "name_malformed")
    require(0 < document.mg_ce_per_unit <= _MG_CE_LIMIT, "norm_out_of_range")
    require(1990 <= document.from_year < 2200, "year_out_of_range")
    books = exchange.rooms.carbon
    require(not any(year >= document.from_year for year in books.closings), "year_is_closed")
    known = books.activities.unit_of(ActivityKind.PRODUCT_OUTPUT, document.product)
    require(known in {None, document.unit}, "unit_is_another")
    books.norms.append(document)
    exchange.notify("product_norm", {"product": document.product, "from_year": document.from_year})
    return {"norms": len(books.norms)}


def close_carbon_year(exchange: "Exchange", document: CloseCarbonYear, caller: Caller) -> Result:
    """The accounts of a year that has ended are final, with the factors of the document."""
    require(1990 <= document.year < 2199, "year_out_of_range")
    require(year_start_ns(document.year + 1) <= caller.stamp_ns, "year_has_not_ended")
    books = exchange.rooms.carbon
    require(document.year not in books.closings, "year_is_closed")
    for number, factor in enumerate(document.factors):
        problem = grid_problem(factor) or ("factor_is_named_twice" if same_version(factor, document.factors[:number]) else None)
        require(problem is None, str(problem))
    for number, fuel in enumerate(document.fuels):
        problem = fuel_problem(fuel) or ("factor_is_named_twice" if same_version(fuel, document.fuels[:number]) else None)
        require(problem is None, str(problem))
    years = [factor.year for factor in document.factors] + [fuel.year for fuel in document.fuels]
    require(max(years, default=0) <= document.year, "factor_is_of_a_later_year")
    kinds = {factor.kind for factor in document.factors}
    require({FactorKind.AVERAGE, FactorKind.RESIDUAL} <= kinds, "factors_incomplete")
    named = {fuel.fuel for fuel in document.fuels}
    burnt = {entry.key.subject for entry in books.activities.of_year(document.year) if entry.key.kind == ActivityKind.FUEL}
    require(burnt <= named, "factors_incomplete")
    books.closings[document.year] = document
    exchange.notify("carbon_year_closed", {"year": document.year})
    return {"year": document.year}


def _fuel_unit(exchange: "Exchange", fuel: str) -> str | None:
    registered = (factor.unit for factor in exchange.rooms.carbon.fuels if factor.fuel == fuel)
    return DEFAULT_FUELS.get(fuel) or next(registered, None)


HANDLERS: Final[dict[type[Document], Handler]] = {
    RegisterEmissionFactor: register_emission_factor,
    RegisterFuelFactor: register_fuel_factor,
    RecordActivity: record_activity,
    SetProductNorm: set_product_norm,
    CloseCarbonYear: close_carbon_year,
}
