"""Wall time as market time: what moves it by hand is noticed."""

import pytest

from exchange.clock import SystemClock
from exchange.errors import ClockSteppedError
from exchange.units import NS_PER_SECOND


class Machine:
    wall_ns = 10**18
    monotonic_ns = 5

    def clock(self) -> SystemClock:
        return SystemClock(lambda: self.wall_ns, lambda: self.monotonic_ns)


STEPS = [(0, False), (NS_PER_SECOND, False), (NS_PER_SECOND + 1, True), (-NS_PER_SECOND, False), (-NS_PER_SECOND - 1, True)]


@pytest.mark.parametrize(("step_ns", "is_noticed"), STEPS)
def test_a_step_of_more_than_a_second_is_refused_until_confirmed(step_ns: int, is_noticed: bool) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.monotonic_ns += 7
    machine.wall_ns += 7 + step_ns
    if is_noticed:
        with pytest.raises(ClockSteppedError):
            clock.now_ns()
        clock.confirm()
    assert clock.now_ns() == machine.wall_ns
