"""Storage records: the three allocations by a worked case, and that no certificate comes from energy that was not certified."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.registry.certificate_rules import Allocation, CertificateRuleBook, CertificateRules, StorageScheme, rules_problem
from exchange.registry.storage_records import LOSS_WINDOW_NS, StorageRecords
from exchange.units import NS_PER_HOUR, PPM

BATTERY = 5
EFFICIENCY_PPM = 800_000


def two_charges() -> StorageRecords:
    """1,000 Wh all certified, then 3,000 Wh of which a third is."""
    records = StorageRecords()
    records.charge(BATTERY, 0, 1_000, 1_000, 1)
    records.charge(BATTERY, NS_PER_HOUR, 3_000, 1_000, 2)
    return records


# Discharge of 1,600 Wh takes 2,000 Wh of charge: how much of it is certified, from which records, and what it earns (x 0.8, down).
ALLOCATIONS = {
    Allocation.FIFO: (1_333, (1, 2), 1_066),
    Allocation.LIFO: (666, (2,), 532),
    Allocation.WEIGHTED: (1_000, (1, 2), 800),
}


@pytest.mark.parametrize("allocation", ALLOCATIONS)
def test_allocations(allocation: Allocation) -> None:
    records = two_charges()
    record = records.discharge(BATTERY, 2 * NS_PER_HOUR, 1_600, EFFICIENCY_PPM, allocation)
    assert (record.drawn_wh, record.certified_wh, record.parents, record.issued_wh) == (2_000, *ALLOCATIONS[allocation])
    assert sum(charge.left_wh for charge in records.charges.values()) == 2_000


def test_more_than_was_recorded_earns_nothing_more() -> None:
    records = two_charges()
    record = records.discharge(BATTERY, 2 * NS_PER_HOUR, 10_000, EFFICIENCY_PPM, Allocation.FIFO)
    assert (record.drawn_wh, record.certified_wh, record.issued_wh) == (4_000, 2_000, 1_600)
    assert records.discharge(BATTERY, 3 * NS_PER_HOUR, 10_000, EFFICIENCY_PPM, Allocation.FIFO).issued_wh == 0


def test_a_discharge_knows_no_charge_of_its_own_time_or_of_another_device_or_of_long_ago() -> None:
    records = two_charges()
    assert records.draws(BATTERY, 0, 100, EFFICIENCY_PPM, Allocation.FIFO) == []
    assert records.draws(BATTERY + 1, NS_PER_HOUR * 2, 100, EFFICIENCY_PPM, Allocation.FIFO) == []
    assert [d.charge for d in records.draws(BATTERY, LOSS_WINDOW_NS, 9_000, EFFICIENCY_PPM, Allocation.FIFO)] == [1, 2]
    assert [d.charge for d in records.draws(BATTERY, LOSS_WINDOW_NS + 1, 9_000, EFFICIENCY_PPM, Allocation.FIFO)] == [2]


charges = st.tuples(st.just("charge"), st.integers(1, 10_000), st.integers(0, PPM))
discharges = st.tuples(st.just("discharge"), st.integers(1, 10_000), st.just(0))


@given(st.lists(charges | discharges, max_size=20), st.sampled_from(Allocation), st.integers(500_000, PPM))
def test_certificates_never_exceed_certified_charge_times_efficiency(acts: list, allocation: Allocation, efficiency_ppm: int) -> None:
    records = StorageRecords()
    for hour, (kind, wh, certified_ppm) in enumerate(acts):
        if kind == "charge":
            records.charge(BATTERY, hour * NS_PER_HOUR, wh, wh * certified_ppm // PPM, hour)
            continue
        before = sum(charge.left_wh for charge in records.charges.values())
        record = records.discharge(BATTERY, hour * NS_PER_HOUR, wh, efficiency_ppm, allocation)
        needed = Fraction(wh * PPM, efficiency_ppm)
        assert record.drawn_wh == min(before, -int(-needed // 1))
        assert record.issued_wh <= wh
        assert all(0 <= c.left_certified_wh <= c.left_wh <= c.charged_wh for c in records.charges.values())
        assert sum(c.left_wh for c in records.charges.values()) == before - record.drawn_wh
    certified = sum(c.certified_wh - c.left_certified_wh for c in records.charges.values())
    assert sum(d.certified_wh for d in records.discharges.values()) == certified
    assert sum(d.issued_wh for d in records.discharges.values()) * PPM <= certified * efficiency_ppm
    packed = msgspec.msgpack.decode(msgspec.msgpack.encode(records.to_canonical()))
    assert StorageRecords.from_canonical(packed) == records
    ids = [*records.charges, *records.discharges]
    assert sorted(ids) == list(range(1, len(ids) + 1))


def test_rules_hold_from_their_time_on() -> None:
    book = CertificateRuleBook()
    assert book.at(5) == CertificateRules(0, StorageScheme.NONE, Allocation.FIFO, 2026)
    book.add(CertificateRules(10, StorageScheme.ENERGYTAG, Allocation.LIFO, 2026))
    book.add(CertificateRules(5, StorageScheme.NONE, Allocation.WEIGHTED, 2030))
    book.add(CertificateRules(10, StorageScheme.ENERGYTAG, Allocation.FIFO, 2027))
    assert [book.at(t).same_year_from for t in (0, 4, 5, 9, 10, 11)] == [2026, 2026, 2030, 2030, 2027, 2027]
    assert CertificateRuleBook.from_canonical(msgspec.msgpack.decode(msgspec.msgpack.encode(book.to_canonical()))) == book


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ((0, "energytag", "lifo", 2026), None),
        ((0, "china", "lifo", 2026), "unknown_storage_scheme"),
        ((0, "none", "random", 2026), "unknown_allocation"),
        ((-1, "none", "fifo", 2026), "rule_out_of_range"),
        ((0, "none", "fifo", 1999), "rule_out_of_range"),
    ],
)
def test_rules_are_checked(fields: tuple, rule: str | None) -> None:
    assert rules_problem(*fields) == rule
