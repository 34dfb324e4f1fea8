"""The park's own baseline-and-credit scheme: opened, verified by member, credits issued, obligations surrendered (docs/rules.md, "Park credits")."""

from typing import TYPE_CHECKING, Final

from exchange.accounts.permissions import Role
from exchange.carbon.calendar import year_at
from exchange.carbon.park_scheme import Benchmark, ParkScheme, Performance, balance, rows_problem, scheme_problem
from exchange.carbon.reductions import UG_PER_G
from exchange.ledger.records import PostingReason
from exchange.order_path.business.credit_deadlines import close_performance, schedule_park_scheme
from exchange.order_path.business.credit_units import (
    issue_some,
    require_digest,
    require_independent,
    require_room,
    take_some,
    units_of,
    usable_lots,
)
from exchange.order_path.business.rules import BusinessRuleError, Caller, Handler, Result, member, require
from exchange.order_path.business.senders import HOLDERS
from exchange.protocol.document import Document
from exchange.protocol.instrument_class import InstrumentClass
from exchange.protocol.value_chain.park_scheme import IssueParkCredits, OpenParkScheme, SurrenderParkCredits, VerifyParkPerformance

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


def open_scheme(exchange: "Exchange", document: OpenParkScheme, caller: Caller) -> Result:
    """A period with its benchmarks, deadline and penalty, published before the deadline can pass."""
    instrument = units_of(exchange, document.symbol, InstrumentClass.PCC)
    problem = scheme_problem(document)
    require(problem is None, str(problem))
    require(document.deadline_ns > caller.stamp_ns, "deadline_has_passed")
    parks = exchange.rooms.credits.parks
    require(instrument.id not in parks.schemes, "scheme_is_open_already")
    benchmarks = [Benchmark(row.product, row.unit, row.benchmark_g_per_unit) for row in document.benchmarks]
    scheme = ParkScheme(
        instrument.id, document.period_start_ns, document.period_end_ns, document.deadline_ns, document.penalty_micro_per_t, benchmarks
    )
    parks.schemes[instrument.id] = scheme
    schedule_park_scheme(exchange, scheme)
    return {"instrument": instrument.id}


def _scheme(exchange: "Exchange", symbol: str) -> ParkScheme:
    scheme = exchange.rooms.credits.parks.schemes.get(units_of(exchange, symbol, InstrumentClass.PCC).id)
    if scheme is None:
        raise BusinessRuleError("no_park_scheme")
    return scheme


def _performance(exchange: "Exchange", scheme: ParkScheme, account: int) -> Performance:
    row = exchange.rooms.credits.parks.performances.get((scheme.instrument, account))
    if row is None:
        raise BusinessRuleError("not_verified")
    return row


def verify_performance(exchange: "Exchange", document: VerifyParkPerformance, caller: Caller) -> Result:
    """Verified outputs and emissions make a member's credits or its obligation.

    Reductions at its site that a project has credits for count as if they were emitted: nobody earns a park credit twice for one of them.
    """
    scheme = _scheme(exchange, document.symbol)
    require(member(exchange, document.account).role in HOLDERS - {Role.MARKET_MAKER}, "role_has_no_emissions")
    benchmarks = {row.product: row.g_per_unit for row in scheme.benchmarks}
    problem = rows_problem(document.rows, benchmarks)
    require(problem is None, str(problem))
    require_digest(document.data_sha256)
    require(caller.stamp_ns >= scheme.end_ns, "period_is_not_over")
    tables = exchange.rooms.credits
    require((scheme.instrument, document.account) not in tables.parks.performances, "verified_already")
    year = year_at(scheme.end_ns - 1)
    require_independent(exchange, caller.account, {document.account}, year)
    credited_ug = tables.projects.credited_ug(document.account, scheme.instrument, scheme.start_ns, scheme.end_ns)
    added_g = -(-credited_ug // UG_PER_G)
    found = balance(document.rows, benchmarks, added_g)
    row = Performance(
        scheme.instrument, document.account, caller.account, document.data_sha256, found.allowed_g, found.emitted_g, added_g,
        found.credits_t, found.obligation_t,
    )  # fmt: skip
    tables.parks.performances[scheme.instrument, document.account] = row
    tables.engagements.note(caller.account, document.account, year)
    if scheme.is_closed:
        close_performance(exchange, scheme, row)
    return {"credits_lots": row.credits_t, "obligation_lots": row.obligation_t}


def issue(exchange: "Exchange", document: IssueParkCredits, _caller: Caller) -> Result:
    """The credits of a verified performance, once."""
    scheme = _scheme(exchange, document.symbol)
    row = _performance(exchange, scheme, document.account)
    require(not row.is_issued, "issued_already")
    require(0 < document.quantity_lots <= row.credits_t, "above_verified_volume")
    require(document.quantity_lots == row.credits_t, "below_verified_volume")
    instrument = exchange.rooms.instruments.by_id[scheme.instrument]
    require_room(exchange, instrument, document.account, row.credits_t)
    issue_some(exchange, instrument, document.account, row.credits_t)
    row.is_issued = True
    exchange.notify("credits", {"instrument": instrument.id, "account": document.account})
    return {"credits_lots": row.credits_t}


def surrender(exchange: "Exchange", document: SurrenderParkCredits, caller: Caller) -> Result:
    """Credits for the sender's obligation, before the deadline, never more than is owed."""
    scheme = _scheme(exchange, document.symbol)
    row = _performance(exchange, scheme, caller.account)
    require(not scheme.is_closed, "surrender_deadline_has_passed")
    require(0 < document.quantity_lots <= row.open_t, "above_obligation")
    instrument = exchange.rooms.instruments.by_id[scheme.instrument]
    require(document.quantity_lots <= usable_lots(exchange, instrument, caller.account), "units_not_available")
    take_some(exchange, instrument, caller.account, document.quantity_lots, PostingReason.UNITS_SURRENDERED)
    row.surrendered_t += document.quantity_lots
    return {"surrendered_t": row.surrendered_t, "open_t": row.open_t}


HANDLERS: Final[dict[type[Document], Handler]] = {
    OpenParkScheme: open_scheme,
    VerifyParkPerformance: verify_performance,
    IssueParkCredits: issue,
    SurrenderParkCredits: surrender,
}
