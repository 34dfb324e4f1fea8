"""The heap of deadlines: what orders leave behind when they end early is dropped, and nothing else changes."""

from exchange.order_path import canonical
from exchange.order_path.path import Exchange
from exchange.order_path.state import Sizes
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_MINUTE
from matching.records import Side, TimeInForce
from tests.exchange.order_path.park import GENESIS, OPEN_NS, Park, power_spec

N_ORDERS = 300
N_KEPT = 3


def _after_many_cancels(deadlines: int) -> Park:
    park = Park(Exchange(GENESIS, Sizes(deadlines=deadlines)))
    buyer = park.admit("T1", "market_maker", ["power_buy", "power_sell"], -5_000, 5_000)
    (instrument,) = park.list(power_spec())
    park.tick(OPEN_NS)
    for number in range(N_ORDERS):
        until_ns = OPEN_NS + (N_ORDERS - number) * NS_PER_MINUTE
        outcome = park.place(buyer, instrument, Side.BUY, 4_000, 1, time_in_force=TimeInForce.GTD, expiry_ns=until_ns)
        assert outcome["code"] == RejectCode.ACCEPTED
        if number >= N_KEPT:
            assert park.cancel(buyer, int(outcome["order_id"]))["code"] == RejectCode.ACCEPTED
    return park


def test_ends_of_cancelled_orders_take_no_room_and_decide_nothing() -> None:
    small, large = _after_many_cancels(4), _after_many_cancels(4_096)
    # A handful of live ones: the phases of the day and the orders that are kept.
    assert len(small.exchange.state.deadlines) <= 32
    assert canonical.state_hash(small.exchange) == canonical.state_hash(large.exchange)
    for park in (small, large):
        assert len(park.exchange.open_orders(park.exchange.rooms.participants.next_id - 1)) == N_KEPT
        park.tick(OPEN_NS + (N_ORDERS - 1) * NS_PER_MINUTE)
        assert len(park.exchange.open_orders(park.exchange.rooms.participants.next_id - 1)) == 1
    assert canonical.state_hash(small.exchange) == canonical.state_hash(large.exchange)
    assert small.exchange.event_hash == large.exchange.event_hash
