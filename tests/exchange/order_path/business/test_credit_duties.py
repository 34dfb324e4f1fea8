"""Who does what: four eyes over allocation, issuance and fines, and nothing of it on an exchange without serial numbers."""

import msgspec
import pytest

from exchange.order_path.business.approvals import required_approval
from exchange.order_path.business.rules import Caller
from exchange.order_path.path import Exchange
from exchange.order_path.settings import ExchangeSettings, encode_settings
from exchange.protocol.document import Document
from exchange.protocol.value_chain.allowances import AllocateAllowances, CollectDues, ImposePenalty, RegisterComplianceEntity, SetCarbonRules
from exchange.protocol.value_chain.park_scheme import IssueParkCredits, OpenParkScheme
from exchange.protocol.value_chain.projects import IssueCredits, RegisterProject, ReverseCredits
from tests.exchange.order_path.carbon_market import T, park_credit
from tests.exchange.order_path.national import PERMISSIONS, allowance
from tests.exchange.order_path.park import GENESIS, OPERATOR, Park

SCHEME = OpenParkScheme(symbol="PCC-2026", period_start_ns=0, period_end_ns=1, deadline_ns=2, penalty_micro_per_t=1, benchmarks=[])
GROUNDS: list[tuple[Document, str | None]] = [
    (SetCarbonRules(from_year=2025), "rules"),
    (SCHEME, "rules"),
    (AllocateAllowances(account=33, year=2025, symbol="CEA25", stage="pre"), "issuance"),
    (IssueCredits(project=1, quantity_lots=1), "issuance"),
    (ReverseCredits(project=1, monitoring=1, quantity_lots=1, reason=""), "issuance"),
    (IssueParkCredits(symbol="PCC-2026", account=33, quantity_lots=1), "issuance"),
    (ImposePenalty(account=33, year=2025, multiple_ppm=1, reference=""), "money"),
    (CollectDues(account=33), None),
    (RegisterProject(project=1, number="", buffer_ppm=0, credits_from_ns=0, credits_to_ns=1), None),
]


@pytest.mark.parametrize(("document", "ground"), GROUNDS, ids=lambda value: getattr(value, "SCHEMA", str(value)))
def test_what_needs_a_second_person(document: Document, ground: str | None) -> None:
    settings = ExchangeSettings(approval="four_eyes", operator_persons=("ann", "bob"))
    genesis = msgspec.structs.replace(GENESIS, operator_keys=(bytes(32), bytes([1] * 32)), document=encode_settings(settings))
    assert required_approval(Exchange(genesis), document, Caller(OPERATOR, 0)) == ground
    assert required_approval(Exchange(GENESIS), document, Caller(OPERATOR, 0)) is None


def test_an_exchange_of_before_there_were_serial_numbers_allocates_nothing() -> None:
    park = Park(Exchange(msgspec.structs.replace(GENESIS, document=encode_settings(ExchangeSettings(level=0)))))
    entity = park.admit("E07", "enterprise", PERMISSIONS)
    park.list(allowance(), park_credit())
    assert park.document(RegisterComplianceEntity(account=entity, sector="power", sources=["boiler"], boundary="plant"))[0] == 0
    document = AllocateAllowances(account=entity, year=2025, symbol="CEA25", stage="pre", base_emissions_g=T)
    assert park.document(document)[1] == {"rule": "exchange_has_no_registry"}
    assert park.document(SCHEME)[1] == {"rule": "exchange_has_no_registry"}
