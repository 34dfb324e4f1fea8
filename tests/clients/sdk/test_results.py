"""Results that travel as plain data, as structs of the SDK: every field that the exchange sends has its place."""

import msgspec
import pytest

from clients.sdk import BidOutcome, ClientError, ProposalOutcome, Statement
from clients.sdk.results import StatementLine, StatementSource, typed
from exchange.settlement import statement as theirs

SENT = theirs.Statement(
    day="2026-07-15", account=33, name="E01", role="enterprise",
    lines=(theirs.Line(theirs.LineItem.ENERGY_BOUGHT, theirs.LineStatus.CHARGED, 12_000, -5_125_000), theirs.Line(
        theirs.LineItem.GOVERNMENT_FUNDS, theirs.LineStatus.INSIDE_TARIFF)),
    total_micro=-5_125_000, consumption_wh=12_000, generation_wh=0, park_fee_held_micro=1, guarantee_held_micro=2, claim_micro=3,
    substituted_periods=4, nominated_periods=5, schedule_deviation_wh=6, run=2, adjustments_micro=(-7, 0),
    source=theirs.Source(sequence=8, rules_version=1, first_period="GP-20260715-0000", last_period="GP-20260715-2345", periods=96, postings=(9, -1)),
)  # fmt: skip


def test_a_statement_is_read_whole() -> None:
    received = typed(msgspec.json.decode(msgspec.json.encode(SENT)), Statement)
    assert Statement.__struct_fields__ == theirs.Statement.__struct_fields__
    assert StatementSource.__struct_fields__ == theirs.Source.__struct_fields__
    assert StatementLine.__struct_fields__ == theirs.Line.__struct_fields__
    assert msgspec.json.encode(received) == msgspec.json.encode(SENT)


def test_outcomes_of_commands() -> None:
    assert typed({"proposal": 7, "status": "traded", "expires_ns": 5}, ProposalOutcome) == ProposalOutcome(7, "traded", 5)
    assert typed({"bid": 1, "revision": 2, "status": "sealed", "allotted_lots": 0}, BidOutcome).revision == 2


@pytest.mark.parametrize("result", [None, [], {"proposal": "x", "status": "open"}, {"status": "open"}])
def test_another_form_is_an_error_of_the_client(result: object) -> None:
    with pytest.raises(ClientError):
        typed(result, ProposalOutcome)
