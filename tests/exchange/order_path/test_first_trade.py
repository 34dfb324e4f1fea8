"""Two participants, one quarter-hour: from the first order to the statement."""

from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.path import Exchange
from exchange.protocol.documents import MeterReadings, SettleDay
from exchange.protocol.reject_codes import RejectCode
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
