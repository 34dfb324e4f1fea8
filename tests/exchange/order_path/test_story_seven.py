"""Story 7 of docs/rules.md, "Allowances": a covered entity that is short of allowances buys them and surrenders, with every guard on its way."""

from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.units import LockUnits, UnlockUnits
from tests.exchange.order_path.carbon_market import CarbonMarket
from tests.exchange.order_path.national import BUY, SELL
from tests.exchange.order_path.park import GENESIS


def test_story_seven() -> None:
    market = CarbonMarket()
    entity, trader, cea = market.entity, market.trader, market.cea

    # Pre-allocation is 70 % of last year's verified emissions, the report is due on 31 March, the verification on 30 June.
    assert market.pre_allocate(50_000)["issued_t"] == 35_000
    market.go("09:00", "2026-03-31")
    assert market.report(52_000) == {"is_late": False}
    market.go("09:00", "2026-06-30")
    assert market.ok(market.verification(52_000), market.verifier) == {"obligation_t": 52_000, "is_late": False}

    # The true-up brings the year to 49,500: short 2,500, and 5 % of the obligation may be CCER.
    market.go("09:00", "2026-09-29")
    assert market.ok(market.final(49_500))["issued_t"] == 14_500
    position = market.exchange.compliance_position(entity, 2025)
    assert position is not None
    assert (position.obligation_t, position.held_t, position.short_t, position.ccer_limit_t) == (52_000, 49_500, 2_500, 2_600)

    # Previous close 62.00: listed 55.80 to 68.20, block 43.40 to 80.60.
    market.go("09:30", "2026-09-29")
    instrument = market.exchange.instrument("CEA25")
    assert instrument is not None
    assert instrument.block_band is not None
    assert (instrument.band.low_ticks, instrument.band.high_ticks) == (5_580, 6_820)
    assert (instrument.block_band.low_ticks, instrument.block_band.high_ticks) == (4_340, 8_060)
    assert market.place(entity, cea, BUY, 6_821, 2_500)["code"] == RejectCode.PRICE_OUTSIDE_BAND
    assert market.place(trader, cea, SELL, 6_200, 2_500)["code"] == 0
    assert market.place(trader, market.ccer, SELL, 6_756, 2_600)["code"] == 0
    assert market.exchange.best("CEA25")[1] == 6_200 < market.exchange.best("CCER")[1]  # type: ignore[operator]
    assert market.place(entity, cea, BUY, 6_200, 2_500)["filled_lots"] == 2_500

    # What was bought today can be neither sold nor surrendered today.
    assert market.place(entity, cea, SELL, 6_200, 52_000)["code"] == RejectCode.INSUFFICIENT_UNITS
    assert market.refused(market.surrender(("CEA25", 52_000)), entity) == "units_not_available"
    market.go("09:30", "2026-09-30")

    # Locked units cannot be surrendered, nor those on sale.
    lock = market.ok(LockUnits(symbol="CEA25", beneficiary=trader, reference="loan", quantity_lots=10), entity)["lock"]
    assert market.refused(market.surrender(("CEA25", 52_000)), entity) == "units_not_available"
    market.ok(UnlockUnits(lock=lock), trader)
    on_sale = market.place(entity, cea, SELL, 6_300, 10)
    assert market.refused(market.surrender(("CEA25", 52_000)), entity) == "units_not_available"
    market.cancel(entity, int(on_sale["order_id"]))

    # 52,000 before 31 December, no more and no less.
    assert market.refused(market.surrender(("CEA25", 52_001)), entity) == "units_not_available"
    assert market.ok(market.surrender(("CEA25", 50_000)), entity) == {"surrendered_t": 50_000, "open_t": 2_000}
    assert market.ok(market.surrender(("CEA25", 2_000)), entity) == {"surrendered_t": 52_000, "open_t": 0}
    assert (market.lots(entity, cea), market.lots(House.SURRENDERED, cea)) == (0, 52_000)
    market.go("00:00", "2027-01-01")
    row = market.exchange.rooms.credits.compliance.years[entity, 2025]
    assert (row.is_closed, row.shortfall_t) == (True, 0)

    check_exchange(market.exchange)
    restored = Exchange(GENESIS)
    canonical.restore(restored, canonical.snapshot(market.exchange))
    assert canonical.state_hash(restored) == canonical.state_hash(market.exchange)


def test_a_replay_of_the_journal_comes_to_the_same_state() -> None:
    """The way of an entity that stays short, over its deadline."""
    market = CarbonMarket()
    market.pre_allocate()
    market.verified()
    market.go("09:30", "2026-12-30")
    market.place(market.trader, market.cea, SELL, 6_300, 100)
    market.place(market.entity, market.cea, BUY, 6_300, 100)
    market.go("00:00", "2027-01-01")
    replayed = Exchange(GENESIS)
    for records, documents in market.log:
        replayed.apply(records, documents, replayed.last_sequence + 1)
    assert canonical.state_hash(replayed) == canonical.state_hash(market.exchange)
    assert replayed.rooms.credits.compliance.years[market.entity, 2025].shortfall_t == 52_000
    assert replayed.rooms.credits.compliance.prices[2025] == (6_300 * 10_000 * 100, 100)
