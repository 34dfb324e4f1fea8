"""Documents of units: who may send them, what refuses them, and what they leave behind."""

from typing import Any

import msgspec
import pytest

from exchange.accounts.permissions import Role
from exchange.journal.record import CommandKind
from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.order_path import canonical
from exchange.order_path.business import units
from exchange.order_path.business.senders import SENDERS
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.order_path.settings import ExchangeSettings, encode_settings
from exchange.protocol.documents import ActivateLevel, Admit, Document, InstrumentSpec, Key, ListInstruments
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.protocol.value_chain.units import (
    ConvertUnits,
    DefineEligibility,
    FreezeUnits,
    LockUnits,
    PreferLots,
    TransferUnits,
    UnfreezeUnits,
    UnlockUnits,
    WithdrawUnits,
)
from exchange.registry.lifecycle import UnitState
from exchange.registry.registry import UnitFacts
from exchange.registry.serials import SerialRange, UnitScheme
from matching.records import Side
from tests.exchange.order_path.park import GENESIS, OPEN_NS, OPERATOR, Park, power_spec, units_spec

GEC, CEA, BASKET = "GEC-202605-PV", "CEA25", "GREEN"
PERMISSIONS = ["gec_buy", "gec_sell", "cea_buy", "cea_sell", "power_buy"]


def gec_spec(symbol: str = GEC, **changes: Any) -> InstrumentSpec:
    return units_spec(symbol, **({"instrument_class": "gec", "resale": "none", "unit": "MWh"} | changes))


class Market(Park):
    """`seller` has 90 certificates (issuance 1), 30 of them on sale, and 40 allowances (issuance 2); `buyer` bought 10 of each today."""

    def __init__(self) -> None:
        super().__init__()
        self.seller = self.admit("E01", "enterprise", PERMISSIONS, high=10)
        self.buyer = self.admit("E02", "enterprise", PERMISSIONS)
        self.storage_owner = self.admit("S01", "storage", ["cea_buy"])
        self.bank = self.admit("BANK", "bank", [], cash_cny=0)
        self.verifier = self.admit("V01", "verifier", [], cash_cny=0)
        self.registrar = self.admit("REG", "registrar", [], cash_cny=0)
        self.regulator = self.admit("GOV", "regulator", [], cash_cny=0)
        self.gec, self.cea, self.basket = self.list(gec_spec(), units_spec(CEA), gec_spec(BASKET))
        self.list(power_spec(), gec_spec("GEC-202604-PV"), gec_spec("GEC-KWH", unit="kWh"))
        self.done(DefineEligibility(symbol=BASKET, instrument_classes=["gec"], vintage_from=202605))
        self.tick(OPEN_NS)
        self.issue(self.seller, GEC, 100)
        self.issue(self.seller, CEA, 50)
        for instrument in (self.gec, self.cea):
            assert self.place(self.seller, instrument, Side.SELL, 6_000, 10)["code"] == 0
            assert self.place(self.buyer, instrument, Side.BUY, 6_000, 10)["filled_lots"] == 10
        assert self.place(self.seller, self.gec, Side.SELL, 6_500, 30)["code"] == 0

    def done(self, document: Document, account: int = OPERATOR) -> dict[str, Any]:
        code, answer = self.document(document, account)
        assert code == 0, answer
        check_exchange(self.exchange)
        return answer

    def text(self, issuance: int, start: int, end: int, **changes: Any) -> str:
        registry = self.exchange.rooms.registry
        row = registry.find(issuance, start)
        return str(registry.range_of(row or 0)._replace(issuance=issuance, serial_from=start, serial_to=end, **changes))

    def states(self, symbol: str) -> dict[str, int]:
        asset = self.exchange.rooms.instruments.by_symbol[symbol].id
        return {state.name: lots for state, lots in self.exchange.rooms.registry.counts(asset).items()}


@pytest.fixture
def market() -> Market:
    return Market()


def test_a_trade_delivers_ranges_and_pays_in_one_command(market: Market) -> None:
    registry, before = market.exchange.rooms.registry, market.exchange.balances(market.seller).balance_micro
    result = market.send(
        market.record(CommandKind.PLACE, market.buyer, instrument=market.gec, side=Side.BUY, price_ticks=6_500, quantity_lots=30)
    )
    reasons = {PostingReason(int(posting["reason"])) for posting in result.postings}
    assert {PostingReason.UNITS_TRADED, PostingReason.TRADE} <= reasons
    assert set(result.postings["sequence"].tolist()) == {result.first_sequence}
    rows = registry.bundles_of(market.buyer, market.gec)
    assert units.ranges_of(market.exchange, rows) == [market.text(1, 1, 40)]
    assert [int(registry.rows[row].sequence) for row in rows][-1] == result.first_sequence
    assert market.exchange.balances(market.seller).balance_micro - before == 30 * 6_500 * 10_000
    check_exchange(market.exchange)


def test_a_certificate_changes_hands_once_and_can_still_be_retired(market: Market) -> None:
    refused = market.document(TransferUnits(symbol=GEC, to_account=market.seller, reference="back", quantity_lots=1), market.buyer)
    assert refused == (RejectCode.BUSINESS_RULE, {"rule": "units_not_available"})
    named = TransferUnits(symbol=GEC, to_account=market.seller, reference="back", ranges=[market.text(1, 1, 1)])
    assert market.document(named, market.buyer)[1] == {"rule": "units_not_available"}
    assert market.place(market.buyer, market.gec, Side.SELL, 6_000, 1)["code"] == RejectCode.INSUFFICIENT_UNITS
    instrument = market.exchange.rooms.instruments.by_symbol[GEC]
    rows = units.take(market.exchange, instrument, market.buyer, 10, PostingReason.UNITS_RETIRED)
    assert units.ranges_of(market.exchange, rows) == [market.text(1, 1, 10)]
    check_exchange(market.exchange)
    # What it is issued later can be sold: no trace of the retired ones is left among those it cannot sell.
    market.issue(market.buyer, GEC, 5)
    assert market.place(market.buyer, market.gec, Side.SELL, 6_000, 5)["code"] == 0


def test_a_pledge_is_released_by_its_beneficiary_in_parts(market: Market) -> None:
    answer = market.done(LockUnits(symbol=CEA, beneficiary=market.bank, reference="loan 1", quantity_lots=20), market.seller)
    assert answer == {"lock": 1, "quantity_lots": 20, "bundles": 1, "ranges": [market.text(2, 11, 30)]}
    assert market.states(CEA) == {"ISSUED": 30, "LOCKED": 20}
    assert int(market.exchange.state.positions[1, House.LOCKED].net_lots) == 20
    market.done(UnlockUnits(lock=1, quantity_lots=5), market.bank)
    assert market.done(UnlockUnits(lock=1, ranges=[market.text(2, 30, 30)]), OPERATOR)["ranges"] == [market.text(2, 30, 30)]
    assert market.done(UnlockUnits(lock=1), market.bank)["quantity_lots"] == 14
    assert market.states(CEA) == {"ISSUED": 50}
    assert market.document(UnlockUnits(lock=1), market.bank)[1] == {"rule": "unknown_lock"}


def test_frozen_units_are_withdrawn_or_come_back(market: Market) -> None:
    for number, sender in enumerate((OPERATOR, market.registrar, market.regulator), start=1):
        freeze = FreezeUnits(account=market.buyer, symbol=GEC, reference="case 7", quantity_lots=2)
        assert market.done(freeze, sender)["freeze"] == number
    market.done(WithdrawUnits(account=market.buyer, symbol=GEC, reference="case 7", freeze=1), market.registrar)
    market.done(UnfreezeUnits(freeze=2, reference="case 7"), market.regulator)
    assert market.states(GEC) == {"ISSUED": 96, "FROZEN": 2, "WITHDRAWN": 2}
    position = market.exchange.state.positions[0, market.buyer]
    assert (int(position.net_lots), int(position.unsellable_lots)) == (6, 6)


def test_a_seller_names_what_its_sales_deliver(market: Market) -> None:
    market.done(PreferLots(symbol=GEC, ranges=[market.text(1, 91, 95), market.text(1, 51, 52)]), market.seller)
    assert market.place(market.buyer, market.gec, Side.BUY, 6_500, 8)["filled_lots"] == 8
    rows = market.exchange.rooms.registry.bundles_of(market.buyer, market.gec)
    expected = [market.text(1, 1, 10), market.text(1, 91, 95), market.text(1, 51, 52), market.text(1, 11, 11)]
    assert sorted(units.ranges_of(market.exchange, rows)) == sorted(expected)
    check_exchange(market.exchange)


def test_a_basket_takes_what_meets_its_criteria_and_gives_back_what_was_issued_for_it(market: Market) -> None:
    asked = [market.text(1, 60, 64), market.text(1, 99, 99)]
    assert market.done(ConvertUnits(symbol=GEC, to_symbol=BASKET, ranges=asked), market.seller)["ranges"] == asked
    assert (market.states(GEC), market.states(BASKET)) == ({"ISSUED": 94}, {"ISSUED": 6})
    assert market.place(market.seller, market.basket, Side.SELL, 6_000, 3)["code"] == 0
    assert market.place(market.buyer, market.basket, Side.BUY, 6_000, 3)["filled_lots"] == 3
    back = market.done(ConvertUnits(symbol=BASKET, to_symbol=GEC, quantity_lots=3), market.buyer)
    assert back["ranges"] == [market.text(1, 60, 62)]
    # The one transfer was used up inside the basket.
    assert market.place(market.buyer, market.gec, Side.SELL, 6_000, 1)["code"] == RejectCode.INSUFFICIENT_UNITS
    market.done(ConvertUnits(symbol=BASKET, to_symbol=GEC, quantity_lots=3), market.seller)
    assert market.states(BASKET) == {}


def test_a_basket_asks_for_technology_and_source(market: Market) -> None:
    device = {"account": market.seller, "capacity_w": 10**6, "commissioned_ns": 0, "scheme": "gec"}
    market.done(RegisterDevice(name="roof", kind="pv", **device))
    market.done(RegisterDevice(name="hill", kind="wind", **device))
    market.list(gec_spec("PV-ONLY"), gec_spec("ROOF-ONLY"))
    market.done(DefineEligibility(symbol="PV-ONLY", technologies=["pv"], schemes=["GEC"]))
    market.done(DefineEligibility(symbol="ROOF-ONLY", sources=[1]))
    instrument = market.exchange.rooms.instruments.by_symbol[GEC]
    for source in (1, 2):
        units.issue(market.exchange, instrument, market.storage_owner, 5, UnitFacts(scheme=UnitScheme.GEC, source=source, vintage=202605))
    for symbol, rule in (("PV-ONLY", "technology_not_eligible"), ("ROOF-ONLY", "source_not_eligible")):
        market.done(ConvertUnits(symbol=GEC, to_symbol=symbol, quantity_lots=1), market.storage_owner)
        wind = ConvertUnits(symbol=GEC, to_symbol=symbol, ranges=[market.text(4, 1, 1)])
        assert market.document(wind, market.storage_owner)[1] == {"rule": rule}
        unknown = ConvertUnits(symbol=GEC, to_symbol=symbol, quantity_lots=1)
        assert market.document(unknown, market.seller)[1] == {"rule": rule}


def test_granular_certificates_move_by_the_registry_alone(market: Market) -> None:
    registry = market.exchange.rooms.registry
    registry.issue_many([market.seller], [5_000], 1, scheme=int(UnitScheme.GC), source=1, vintage=202607)
    market.done(TransferUnits(symbol="", to_account=market.buyer, reference="", quantity_lots=2_000), market.seller)
    market.done(TransferUnits(symbol="", to_account=market.seller, reference="", ranges=[market.text(3, 1, 500)]), market.buyer)
    market.done(LockUnits(symbol="", beneficiary=market.bank, reference="", quantity_lots=700), market.buyer)
    market.done(UnlockUnits(lock=1, quantity_lots=200), market.bank)
    market.done(FreezeUnits(account=market.seller, symbol="", reference="", quantity_lots=100))
    market.done(WithdrawUnits(account=market.seller, symbol="", reference="", freeze=2, quantity_lots=40))
    rows = units.take(market.exchange, None, market.seller, 1_000, PostingReason.UNITS_RETIRED)
    assert sum(map(registry.quantity, rows.tolist())) == 1_000
    found = {state.name: lots for state, lots in registry.counts(0).items()}
    assert found == {"ISSUED": 3_400, "LOCKED": 500, "FROZEN": 60, "RETIRED": 1_000, "WITHDRAWN": 40}
    check_exchange(market.exchange)


def refusals(m: Market) -> list[tuple[Document, int, str]]:
    """(document, sender, rule)."""
    a, b = m.seller, m.buyer
    return [
        (TransferUnits(symbol="X", to_account=b, reference="", quantity_lots=1), a, "unknown_instrument"),
        (TransferUnits(symbol="GP-20260715-1000", to_account=b, reference="", quantity_lots=1), a, "power_has_no_serial_numbers"),
        (TransferUnits(symbol=GEC, to_account=99, reference="", quantity_lots=1), a, "unknown_account"),
        (TransferUnits(symbol=GEC, to_account=a, reference="", quantity_lots=1), a, "same_account"),
        (TransferUnits(symbol=GEC, to_account=m.storage_owner, reference="", quantity_lots=1), a, "receiver_may_not_hold_them"),
        (TransferUnits(symbol="", to_account=m.bank, reference="", quantity_lots=1), a, "receiver_may_not_hold_them"),
        (TransferUnits(symbol=GEC, to_account=b, reference="x" * 129, quantity_lots=1), a, "reference_malformed"),
        (TransferUnits(symbol=GEC, to_account=b, reference=""), a, "quantity_out_of_range"),
        (TransferUnits(symbol=GEC, to_account=b, reference="", quantity_lots=-1), a, "quantity_out_of_range"),
        (TransferUnits(symbol=GEC, to_account=b, reference="", quantity_lots=61), a, "units_not_available"),  # 30 of 90 are on sale
        (TransferUnits(symbol=CEA, to_account=a, reference="", quantity_lots=1), b, "units_not_available"),  # bought today
        (TransferUnits(symbol=GEC, to_account=b, reference="", ranges=["PARK-GEC"]), a, "serial_number_malformed"),
        (TransferUnits(symbol=GEC, to_account=b, reference="", ranges=[m.text(1, 11, 11)] * 1_001), a, "too_many_ranges"),
        (TransferUnits(symbol=GEC, to_account=b, reference="", ranges=[m.text(1, 11, 11)], quantity_lots=2), a, "ranges_are_not_the_quantity"),
        (TransferUnits(symbol=GEC, to_account=b, reference="", ranges=[m.text(1, 10, 11)]), a, "ranges_not_held"),
        (TransferUnits(symbol=GEC, to_account=b, reference="", ranges=[m.text(1, 99, 101)]), a, "ranges_not_held"),
        (TransferUnits(symbol=GEC, to_account=b, reference="", ranges=[m.text(2, 11, 11)]), a, "ranges_not_held"),
        (TransferUnits(symbol=GEC, to_account=b, reference="", ranges=[m.text(1, 11, 11, vintage=202604)]), a, "ranges_not_held"),
        (TransferUnits(symbol=GEC, to_account=b, reference="", ranges=[m.text(1, 11, 12), m.text(1, 12, 13)]), a, "ranges_not_held"),
        (LockUnits(symbol=CEA, beneficiary=a, reference="", quantity_lots=1), a, "beneficiary_is_the_owner"),
        (LockUnits(symbol=CEA, beneficiary=99, reference="", quantity_lots=1), a, "unknown_account"),
        (LockUnits(symbol=GEC, beneficiary=m.bank, reference="", quantity_lots=61), a, "units_not_available"),
        (LockUnits(symbol=GEC, beneficiary=m.bank, reference="", ranges=[m.text(1, 40, 100)]), a, "units_not_available"),
        (UnlockUnits(lock=1), m.bank, "unknown_lock"),
        (UnfreezeUnits(freeze=1, reference=""), OPERATOR, "unknown_freeze"),
        (FreezeUnits(account=99, symbol=GEC, reference="", quantity_lots=1), OPERATOR, "unknown_account"),
        (FreezeUnits(account=b, symbol=GEC, reference="", quantity_lots=11), OPERATOR, "units_not_available"),
        (WithdrawUnits(account=b, symbol=GEC, reference="", quantity_lots=11), OPERATOR, "units_not_available"),
        (WithdrawUnits(account=b, symbol=GEC, reference="", freeze=9), OPERATOR, "unknown_freeze"),
        (PreferLots(symbol="", ranges=[m.text(1, 11, 11)]), a, "unknown_instrument"),
        (PreferLots(symbol=GEC, ranges=[]), a, "quantity_out_of_range"),
        (PreferLots(symbol=GEC, ranges=[m.text(1, 1, 1)]), b, "ranges_not_held"),  # at the end of its transfers
        (DefineEligibility(symbol=GEC), OPERATOR, "instrument_has_units"),
        (DefineEligibility(symbol="GP-20260715-1000"), OPERATOR, "power_has_no_serial_numbers"),
        (DefineEligibility(symbol=BASKET, instrument_classes=["power"]), OPERATOR, "unknown_instrument_class"),
        (DefineEligibility(symbol=BASKET, schemes=["gec"]), OPERATOR, "unknown_scheme"),
        (DefineEligibility(symbol=BASKET, technologies=["coal"]), OPERATOR, "unknown_device_kind"),
        (DefineEligibility(symbol=BASKET, vintage_from=202606, vintage_to=202605), OPERATOR, "vintage_out_of_range"),
        (DefineEligibility(symbol=BASKET, sources=[0]), OPERATOR, "source_out_of_range"),
        (ConvertUnits(symbol=GEC, to_symbol="GEC-202604-PV", quantity_lots=1), a, "not_a_basket"),
        (ConvertUnits(symbol=CEA, to_symbol=BASKET, quantity_lots=1), a, "resale_rules_differ"),
        (ConvertUnits(symbol=GEC, to_symbol="GEC-KWH", quantity_lots=1), a, "units_differ"),
        (ConvertUnits(symbol=GEC, to_symbol=BASKET, quantity_lots=61), a, "units_not_available"),
        (ConvertUnits(symbol=GEC, to_symbol=BASKET, ranges=["x"]), a, "serial_number_malformed"),
        (ConvertUnits(symbol=GEC, to_symbol="GP-20260715-1000", quantity_lots=1), a, "power_has_no_serial_numbers"),
    ]


@pytest.mark.parametrize("row", range(len(refusals(Market()))))
def test_what_is_refused_changes_nothing(row: int) -> None:
    market = Market()
    document, sender, rule = refusals(market)[row]
    tables = {name: rows for name, rows in canonical.content(market.exchange).items() if name not in {"counters", "audit"}}
    assert market.document(document, sender) == (RejectCode.BUSINESS_RULE, {"rule": rule})
    assert {name: rows for name, rows in canonical.content(market.exchange).items() if name not in {"counters", "audit"}} == tables
    check_exchange(market.exchange)


def test_conversions_that_criteria_or_origin_refuse(market: Market) -> None:
    market.issue(market.seller, "GEC-202604-PV", 5)
    old = ConvertUnits(symbol="GEC-202604-PV", to_symbol=BASKET, quantity_lots=1)
    assert market.document(old, market.seller)[1] == {"rule": "vintage_not_eligible"}
    market.done(ConvertUnits(symbol=GEC, to_symbol=BASKET, quantity_lots=1), market.seller)
    wrong = ConvertUnits(symbol=BASKET, to_symbol="GEC-202604-PV", quantity_lots=1)
    assert market.document(wrong, market.seller)[1] == {"rule": "issued_for_another_instrument"}
    assert market.document(DefineEligibility(symbol=BASKET))[1] == {"rule": "instrument_has_units"}
    with pytest.raises(AssertionError):
        market.issue(market.seller, BASKET, 1)


def test_what_is_set_aside_cannot_be_used_again(market: Market) -> None:
    """Invariant 11 of the market's rules: not sold, not pledged twice, not withdrawn as if it were free."""
    market.done(LockUnits(symbol=CEA, beneficiary=market.bank, reference="", quantity_lots=40), market.seller)
    frozen = market.done(FreezeUnits(account=market.buyer, symbol=CEA, reference="", quantity_lots=10))
    assert market.place(market.seller, market.cea, Side.SELL, 6_000, 1)["code"] == RejectCode.INSUFFICIENT_UNITS
    for account, text in ((market.seller, market.text(2, 11, 11)), (market.buyer, frozen["ranges"][0])):
        again = LockUnits(symbol=CEA, beneficiary=market.bank, reference="", ranges=[text])
        assert market.document(again, account)[1] == {"rule": "units_not_available"}
        withdrawn = WithdrawUnits(account=account, symbol=CEA, reference="", ranges=[text])
        assert market.document(withdrawn)[1] == {"rule": "units_not_available"}
    market.issue(market.seller, CEA, 5)
    again = LockUnits(symbol=CEA, beneficiary=market.bank, reference="", ranges=[market.text(2, 11, 11)])
    assert market.document(again, market.seller)[1] == {"rule": "ranges_not_held"}
    other = UnlockUnits(lock=1, ranges=[market.text(3, 1, 1)])
    assert market.document(other, market.bank)[1] == {"rule": "ranges_not_held"}


SENDERS_ALLOWED = {
    TransferUnits: "enterprise generator prosumer storage market_maker esco",
    LockUnits: "enterprise generator prosumer storage market_maker esco",
    PreferLots: "enterprise generator prosumer storage market_maker esco",
    ConvertUnits: "enterprise generator prosumer storage market_maker esco",
    UnlockUnits: "enterprise generator prosumer storage market_maker esco bank operator",
    FreezeUnits: "operator registrar regulator",
    UnfreezeUnits: "operator registrar regulator",
    WithdrawUnits: "operator registrar",
}


@pytest.mark.parametrize("document", SENDERS_ALLOWED, ids=lambda document: document.SCHEMA)
def test_who_may_send_what(document: type[Document]) -> None:
    assert SENDERS[document].roles == {Role(name) for name in SENDERS_ALLOWED[document].split()}


def test_others_are_refused(market: Market) -> None:
    lock = LockUnits(symbol=CEA, beneficiary=market.bank, reference="", quantity_lots=1)
    freeze = FreezeUnits(account=market.buyer, symbol=GEC, reference="", quantity_lots=1)
    for document, sender in ((lock, market.verifier), (lock, OPERATOR), (freeze, market.seller), (freeze, market.verifier), (freeze, market.bank)):
        assert market.document(document, sender)[0] == RejectCode.NO_PERMISSION
    market.done(lock, market.seller)
    assert market.document(UnlockUnits(lock=1), market.seller)[1] == {"rule": "not_the_beneficiary"}


def test_long_lists_of_ranges_are_cut_in_the_answer(market: Market) -> None:
    odd = [market.text(2, number, number) for number in range(11, 50, 2)]
    market.done(TransferUnits(symbol=CEA, to_account=market.buyer, reference="", ranges=odd), market.seller)
    market.exchange.rooms.registry.issue_many([market.seller] * 150, [1] * 150, 1, scheme=int(UnitScheme.GC), source=list(range(150)))
    answer = market.done(LockUnits(symbol="", beneficiary=market.bank, reference="", quantity_lots=150), market.seller)
    assert (answer["bundles"], len(answer["ranges"])) == (150, 100)
    rows = market.exchange.rooms.registry.bundles_of(market.buyer, market.cea)
    assert units.ranges_of(market.exchange, rows) == [market.text(2, 1, 11), *odd[1:]]


def old_exchange() -> Park:
    """An exchange of the level before serial numbers."""
    return Park(Exchange(msgspec.structs.replace(GENESIS, document=encode_settings(ExchangeSettings(level=0)))))


def test_holdings_get_serial_numbers_when_the_level_comes() -> None:
    park = old_exchange()
    a, b = (park.admit(name, "enterprise", PERMISSIONS) for name in ("E01", "E02"))
    gec, cea = park.list(gec_spec(), units_spec(CEA))
    park.tick(OPEN_NS)
    for symbol in (GEC, CEA):
        park.issue(a, symbol, 20)
        park.issue(b, symbol, 3)
    for instrument in (gec, cea):
        park.place(a, instrument, Side.SELL, 6_000, 6)
        park.place(b, instrument, Side.BUY, 6_000, 6)
    registry = park.exchange.rooms.registry
    assert len(registry) == 0
    locked = park.document(LockUnits(symbol=CEA, beneficiary=b, reference="", quantity_lots=1), a)
    assert locked[1] == {"rule": "exchange_has_no_registry"}
    assert park.document(ActivateLevel(level=1))[0] == 0
    check_exchange(park.exchange)
    assert registry.counts(gec) == registry.counts(cea) == {UnitState.ISSUED: 23}
    rows = [[int(r[name]) for name in ("asset", "account", "serial_to", "transfers")] for r in registry.rows]
    assert rows == [[i, *r] for i in (gec, cea) for r in ([a, 14, 0], [b, 3, 0], [b, 6, 1])]
    assert park.place(b, gec, Side.SELL, 6_000, 4)["code"] == RejectCode.INSUFFICIENT_UNITS
    park.place(b, gec, Side.SELL, 6_000, 3)
    park.place(a, gec, Side.BUY, 6_000, 3)
    assert registry.bundles_of(b, gec).tolist() == [2]
    check_exchange(park.exchange)
    payload = canonical.snapshot(park.exchange)
    other = Exchange(park.exchange.genesis)
    canonical.restore(other, payload)
    assert canonical.state_hash(other) == canonical.state_hash(park.exchange)
    check_exchange(other)


def test_a_bank_gets_a_key_that_releases_pledges_with_the_level() -> None:
    key = Key(key_id="k", public_key=bytes(range(32)), scopes=["read", "trade"])
    bank = Admit(name="BANK", role="bank", permissions=[], keys=[key])
    assert old_exchange().document(bank)[1] == {"rule": "scope_not_allowed_for_role"}
    assert Park().document(bank)[0] == 0


def test_named_units_of_a_range_that_spans_bundles(market: Market) -> None:
    market.done(LockUnits(symbol=CEA, beneficiary=market.bank, reference="", ranges=[market.text(2, 21, 30)]), market.seller)
    market.done(UnlockUnits(lock=1), market.bank)
    answer = market.done(LockUnits(symbol=CEA, beneficiary=market.bank, reference="", ranges=[market.text(2, 15, 35)]), market.seller)
    assert (answer["quantity_lots"], answer["bundles"], answer["ranges"]) == (21, 3, [market.text(2, 15, 35)])
    assert SerialRange(UnitScheme.CEA, 0, 202500, 2, 15, 35).quantity == 21


def test_listing_on_an_old_exchange_makes_no_asset_known() -> None:
    park = old_exchange()
    park.document(ListInstruments(instruments=[gec_spec()]))
    assert not park.exchange.rooms.registry.table.knows(1)


def test_what_is_pledged_again_belongs_to_the_later_pledge(market: Market) -> None:
    """Found by the walk of test_units_walk.py: the first pledge took units for its own that it had let go."""
    market.done(LockUnits(symbol=CEA, beneficiary=market.bank, reference="a", quantity_lots=10), market.seller)
    market.done(UnlockUnits(lock=1, ranges=[market.text(2, 18, 20)]), market.bank)
    market.done(LockUnits(symbol=CEA, beneficiary=market.buyer, reference="b", ranges=[market.text(2, 19, 19)]), market.seller)
    other = UnlockUnits(lock=1, ranges=[market.text(2, 19, 19)])
    assert market.document(other, market.bank)[1] == {"rule": "units_not_set_aside"}
    assert market.done(UnlockUnits(lock=1), market.bank)["quantity_lots"] == 7
    assert market.document(UnlockUnits(lock=2), market.bank)[1] == {"rule": "not_the_beneficiary"}
    assert market.done(UnlockUnits(lock=2), market.buyer)["quantity_lots"] == 1
