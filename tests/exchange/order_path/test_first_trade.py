"""Two participants, one quarter-hour: from the first order to the statement."""

import msgspec

from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.path import Exchange
from exchange.protocol.documents import MeterReadings, SettleDay
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.metering import DeviceReadings, RegisterDevice
from exchange.settlement.statement import DaySettlement
from exchange.units import NS_PER_DAY, PERIOD_NS
from matching.records import Side
from tests.exchange.order_path.park import DAY_NS, GENESIS, OPEN_NS, Park, power_spec


def traded_park() -> tuple[Park, int, int, int]:
    park = Park()
    load = park.admit("E01", "enterprise", ["power_buy", "power_sell"], high=100_000)
    solar = park.admit("PV01", "generator", ["power_sell", "power_buy"], low=-100_000)
    (instrument,) = park.list(power_spec(40))
    park.tick(OPEN_NS)
    assert park.place(solar, instrument, Side.SELL, 4_000, 4_000)["code"] == RejectCode.ACCEPTED
    taken = park.place(load, instrument, Side.BUY, 5_000, 4_000)
    assert (taken["code"], taken["filled_lots"], taken["remaining_lots"]) == (RejectCode.ACCEPTED, 4_000, 0)
    return park, load, solar, instrument


def test_fill_moves_cash_to_clearing_and_keeps_holds_for_delivery() -> None:
    park, load, solar, _ = traded_park()
    value_micro = 4_000 * 4_000 * 10
    assert park.exchange.balances(load).balance_micro == 10_000_000_000 - value_micro - 4_000 * 50
    assert park.exchange.balances(load).held_micro == 4_000 * 4_000
    assert park.exchange.balances(solar).balance_micro == 10_000_000_000 - 4_000 * 20
    assert park.exchange.balances(solar).held_micro == 4_000 * (6_500 - 4_000) * 10
    assert int(park.exchange.state.accounts[House.CLEARING].balance_micro) == value_micro
    assert park.exchange.money_sum_micro() == 0


def test_day_is_settled_against_the_meters() -> None:
    park, load, solar, _ = traded_park()
    start_ns = DAY_NS + 40 * PERIOD_NS
    park.tick(start_ns + PERIOD_NS)
    readings = MeterReadings(
        revision=1, accounts=[load, solar], period_starts_ns=[start_ns] * 2, consumption_wh=[380_000, 0], generation_wh=[0, 400_000],
        soc_wh=[-1, -1], grid_starts_ns=[start_ns], grid_import_wh=[0], grid_export_wh=[19_000], losses_wh=[1_000],
    )  # fmt: skip
    code, answer = park.document(readings)
    assert code == RejectCode.ACCEPTED, answer
    code, answer = park.document(SettleDay(day="2026-07-15", day_start_ns=DAY_NS, day_end_ns=DAY_NS + NS_PER_DAY))
    assert code == RejectCode.ACCEPTED, answer
    assert park.exchange.money_sum_micro() == 0
    assert int(park.exchange.state.accounts[House.CLEARING].balance_micro) == 0
    assert park.exchange.balances(load).held_micro == park.exchange.balances(solar).held_micro == 0
    statement = park.exchange.statement(load, "2026-07-15")
    assert statement is not None
    assert statement.park_fee_held_micro == 16_000_000


def test_a_day_read_by_device_comes_to_the_statements_of_one_read_by_account() -> None:
    """The load's account has a plant behind its meter, read in two documents, one of its values substituted."""
    start_ns, settlements = DAY_NS + 40 * PERIOD_NS, []
    for by_device in (False, True):
        park, load, solar, _ = traded_park()
        for account, kind in ((load, "load"), (load, "pv"), (solar, "pv")):
            device = RegisterDevice(account=account, name=kind, kind=kind, capacity_w=2_000_000, commissioned_ns=0)
            assert park.document(device)[0] == RejectCode.ACCEPTED
        park.tick(start_ns + PERIOD_NS)
        grid = {"grid_starts_ns": [start_ns], "grid_import_wh": [0], "grid_export_wh": [39_000], "losses_wh": [1_000]}
        if by_device:
            first = {"devices": [1, 3], "first_starts_ns": [start_ns] * 2, "counts": [1, 1], "qualities": ["measured"] * 2}
            documents = [
                DeviceReadings(revision=1, **first, import_wh=[380_000, 100], export_wh=[0, 400_000], **grid),
                DeviceReadings(
                    revision=1, devices=[2], first_starts_ns=[start_ns], counts=[1], qualities=["substituted"], import_wh=[0], export_wh=[20_100]
                ),
            ]
        else:
            documents = [
                MeterReadings(
                    revision=1, accounts=[load, solar], period_starts_ns=[start_ns] * 2, consumption_wh=[380_000, 100],
                    generation_wh=[20_100, 400_000], soc_wh=[-1, -1], **grid,
                )
            ]  # fmt: skip
        for document in documents:
            code, answer = park.document(document)
            assert code == RejectCode.ACCEPTED, answer
        code, answer = park.document(SettleDay(day="2026-07-15", day_start_ns=DAY_NS, day_end_ns=DAY_NS + NS_PER_DAY))
        assert code == RejectCode.ACCEPTED, answer
        settlements.append(park.exchange.settlement("2026-07-15"))
        substituted = [park.exchange.statement(account, "2026-07-15").substituted_periods for account in (load, solar)]
        assert substituted == ([1, 0] if by_device else [0, 0])
    replaced = msgspec.structs.replace

    def comparable(settlement: DaySettlement) -> DaySettlement:
        """Without what tells of the documents: how many there were before the settlement, and what was substituted."""
        plain = (replaced(s, substituted_periods=0, source=replaced(s.source, sequence=0)) for s in settlement.statements)
        return replaced(settlement, statements=tuple(plain))

    by_account, of_devices = map(comparable, settlements)
    assert of_devices == by_account


def test_a_device_that_is_not_read_keeps_the_day_from_being_settled() -> None:
    park, load, solar, _ = traded_park()
    start_ns = DAY_NS + 40 * PERIOD_NS
    for account, kind in ((load, "load"), (load, "pv"), (solar, "pv")):
        park.document(RegisterDevice(account=account, name=kind, kind=kind, capacity_w=2_000_000, commissioned_ns=0))
    park.tick(start_ns + PERIOD_NS)
    before = {"devices": [2], "first_starts_ns": [start_ns - PERIOD_NS], "counts": [1], "qualities": ["measured"], "import_wh": [0]}
    assert park.document(DeviceReadings(revision=1, **before, export_wh=[5]))[0] == RejectCode.ACCEPTED
    both = {"devices": [1, 3], "first_starts_ns": [start_ns] * 2, "counts": [1, 1], "qualities": ["measured"] * 2, "import_wh": [380_000, 0]}
    grid = {"grid_starts_ns": [start_ns], "grid_import_wh": [0], "grid_export_wh": [19_000], "losses_wh": [1_000]}
    assert park.document(DeviceReadings(revision=1, **both, export_wh=[0, 400_000], **grid))[0] == RejectCode.ACCEPTED
    code, answer = park.document(SettleDay(day="2026-07-15", day_start_ns=DAY_NS, day_end_ns=DAY_NS + NS_PER_DAY))
    assert (code, answer["rule"]) == (RejectCode.BUSINESS_RULE, f"settlement_reading_missing, period gp-20260715-1000, account {load}")


def test_replay_in_other_batches_reaches_the_same_hashes() -> None:
    park, *_ = traded_park()
    replayed = Exchange(GENESIS)
    for records, documents in park.log:
        replayed.apply(records, documents, replayed.last_sequence + 1)
    assert canonical.state_hash(replayed) == canonical.state_hash(park.exchange)
    assert replayed.event_hash == park.exchange.event_hash


def test_snapshot_restores_to_the_same_hash() -> None:
    park, load, *_, instrument = traded_park()
    park.place(load, instrument, Side.BUY, 3_000, 100)
    restored = Exchange(GENESIS)
    canonical.restore(restored, canonical.snapshot(park.exchange))
    assert canonical.state_hash(restored) == canonical.state_hash(park.exchange)
