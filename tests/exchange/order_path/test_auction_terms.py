"""What an instrument may say of its auctions: every rule by its name, and what is no state."""

from typing import Any

import pytest

from exchange.market.instruments import spec_problem
from exchange.order_path import canonical
from exchange.units import NS_PER_DAY, NS_PER_MINUTE
from tests.exchange.order_path.park import Park, power_spec, units_spec

TERMS: dict[str, Any] = {
    "opening_auction_ns": NS_PER_MINUTE, "closing_auction_ns": NS_PER_MINUTE, "interruption_ppm": 100_000, "interruption_ns": NS_PER_MINUTE,
    "reference_price_ticks": 5_000,
}  # fmt: skip


def test_terms_of_auctions_at_their_defaults_are_no_state() -> None:
    """The state of a journal from before there were auctions keeps its hash."""
    park = Park()
    park.list(power_spec())
    content = canonical.content(park.exchange)
    assert "auctions" not in content
    assert not {"opening_auction_ns", "reference_price_ticks", "k_ppm"} & set(content["instruments"][0][1])


RULES: dict[str, dict[str, Any]] = {
    "auction_length_negative": {"interruption_ns": -1},
    "call_phases_do_not_fit": {"opening_auction_ns": 2 * NS_PER_DAY},
    "interruption_width_out_of_range": {"interruption_ppm": 1_000_001},
    "interruption_incomplete": {"interruption_ns": 0},
    "unknown_auction_price_rule": {"auction_price_rule": "midpoint"},
    "k_out_of_range": {"k_ppm": 1_000_001},
    "reference_price_missing": {"reference_price_ticks": -1},
    "reference_price_out_of_range": {"reference_price_ticks": 30_001},
}


@pytest.mark.parametrize("rule", RULES)
def test_terms_that_cannot_be_are_refused(rule: str) -> None:
    assert spec_problem(power_spec(**TERMS)) is None
    assert spec_problem(power_spec(**(TERMS | RULES[rule]))) == rule


def test_units_have_no_call_phase_and_k_needs_no_reference() -> None:
    assert spec_problem(units_spec(opening_auction_ns=1, reference_price_ticks=6_000)) == "call_phase_without_gate"
    assert spec_problem(power_spec(opening_auction_ns=1, auction_price_rule="k")) is None
    assert spec_problem(power_spec(opening_auction_ns=1)) == "reference_price_missing"
