"""The operator's opening documents fit the protocol and say what the park says."""

import msgspec
import pytest

from clients.scenarios.loader import load_park
from clients.simulator.listing import (
    account_documents,
    admit_document,
    block_instruments,
    contract_documents,
    instrument_documents,
    power_instruments,
)
from exchange.accounts.permissions import ROLE_SCOPES, Role
from exchange.market.blocks import block_problem, is_block, quarter_hours
from exchange.market.instruments import spec_problem
from exchange.protocol.documents import Deposit, decode_document, document_from_wire, encode_document
from exchange.protocol.session import FRAME_LIMIT_BYTES
from exchange.units import PERIOD_NS

PARK = load_park()
ACCOUNTS = {member.id: 33 + i for i, member in enumerate(PARK.members)}


def all_documents() -> list:
    return [
        *(admit_document(member, b"k" * 32) for member in PARK.members),
        *instrument_documents(PARK),
        *account_documents(PARK, ACCOUNTS),
        *contract_documents(PARK, ACCOUNTS),
    ]


def test_documents_survive_the_wire_and_the_journal_and_fit_a_frame() -> None:
    for document in all_documents():
        wire = msgspec.json.encode(document)
        assert len(wire) < FRAME_LIMIT_BYTES - 1_000
        assert document_from_wire(document.SCHEMA, msgspec.json.decode(wire)) == document
        assert decode_document(encode_document(document)) == document


def test_every_instrument_may_be_listed() -> None:
    specs = [spec for document in instrument_documents(PARK) for spec in document.instruments]
    assert len(specs) == len(PARK.symbols) + len(PARK.instruments) + 1
    assert [spec_problem(spec) for spec in specs] == [None] * len(specs)
    (peak,) = [spec for spec in specs if is_block(spec)]
    assert block_problem(peak, quarter_hours([], specs)) is None
    assert (peak.symbol, peak.delivery_end_ns - peak.delivery_start_ns) == ("GP-20260715-PEAK", 16 * PERIOD_NS)
    assert peak.delivery_start_ns == specs[64].delivery_start_ns
    assert block_instruments([spec for spec in specs if spec.symbol != "GP-20260715-1945"]) == []


def test_fees_of_a_lot_are_a_tenth_of_those_of_a_kwh() -> None:
    spec = power_instruments(PARK)[0]
    assert 10 * spec.park_fee_lot_micro == PARK.power.park_fee_micro_per_kwh
    assert 10 * spec.taker_fee_lot_micro == PARK.power.taker_fee_micro_per_kwh


def test_contracts_sum_to_zero_in_every_document_and_instrument() -> None:
    for document in contract_documents(PARK, ACCOUNTS):
        sums: dict[str, int] = {}
        for row in document.positions:
            sums[row.symbol] = sums.get(row.symbol, 0) + row.net_lots
        assert set(sums.values()) == {0}
        assert 0 < document.contract_price_ticks < 6500


def test_all_opening_money_is_deposited_and_scopes_are_the_roles() -> None:
    deposits = [document for document in account_documents(PARK, ACCOUNTS) if isinstance(document, Deposit)]
    assert sum(d.amount_micro for d in deposits) == sum(m.cash_micro for m in PARK.members)
    for member in PARK.members:
        assert set(admit_document(member, b"k" * 32).keys[0].scopes) <= ROLE_SCOPES[Role(member.role)]


def test_a_fee_that_does_not_divide_into_lots_is_refused() -> None:
    import dataclasses

    from exchange.errors import InputError

    odd = dataclasses.replace(PARK, power=dataclasses.replace(PARK.power, taker_fee_micro_per_kwh=2_005))
    with pytest.raises(InputError, match="taker fee"):
        power_instruments(odd)
