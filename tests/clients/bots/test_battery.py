"""The worst case of a battery: no order of fills leaves its range. The oracle walks the fills in fractions, and shares no code with the model."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from clients.bots.battery import Battery, Exposure, most_that_holds, worst_case_holds

batteries = st.builds(
    Battery,
    soc_min_wh=st.integers(0, 1_000),
    soc_max_wh=st.integers(5_000, 20_000),
    power_w=st.integers(400, 40_000),
    charge_ppm=st.integers(800_000, 1_000_000),
    discharge_ppm=st.integers(800_000, 1_000_000),
)
exposures = st.lists(
    st.builds(Exposure, net_wh=st.integers(-3_000, 3_000), open_buy_wh=st.integers(0, 3_000), open_sell_wh=st.integers(0, 3_000)),
    min_size=1,
    max_size=6,
)


def walk(battery: Battery, soc_wh: int, bought_wh: list[int]) -> list[Fraction]:
    """Exact states of charge."""
    soc, states = Fraction(soc_wh), []
    for energy in bought_wh:
        soc += Fraction(energy * battery.charge_ppm, 10**6) if energy >= 0 else Fraction(energy * 10**6, battery.discharge_ppm)
        states.append(soc)
    return states


@given(batteries, st.integers(1_000, 5_000), exposures, st.data())
def test_whatever_fills_the_state_of_charge_stays_in_range(battery, soc_wh, periods, data) -> None:
    if not worst_case_holds(battery, soc_wh, periods):
        return
    for _ in range(4):
        bought = [p.net_wh + data.draw(st.integers(0, p.open_buy_wh)) - data.draw(st.integers(0, p.open_sell_wh)) for p in periods]
        for soc in walk(battery, soc_wh, bought):
            assert battery.soc_min_wh <= soc <= battery.soc_max_wh
        assert max(abs(energy) for energy in bought) <= battery.power_w // 4


@given(batteries, st.integers(1_000, 5_000), exposures, st.booleans(), st.integers(1, 80), st.data())
def test_what_is_allowed_holds_and_one_lot_more_does_not(battery, soc_wh, periods, buy, wanted, data) -> None:
    index = data.draw(st.integers(0, len(periods) - 1))
    lots = most_that_holds(battery, soc_wh, periods, index, buy=buy, wanted_lots=wanted, lot_wh=100)

    def holds(extra: int) -> bool:
        at = periods[index]
        changed = at._replace(open_buy_wh=at.open_buy_wh + extra * 100) if buy else at._replace(open_sell_wh=at.open_sell_wh + extra * 100)
        return worst_case_holds(battery, soc_wh, [*periods[:index], changed, *periods[index + 1 :]])

    assert 0 <= lots <= wanted
    assert lots == 0 or holds(lots)
    assert lots == wanted or not holds(lots + 1)


def test_rounding_is_against_the_storage() -> None:
    battery = Battery(0, 1_000, 4_000, 999_999, 999_999)
    assert battery.after(0, 100) == 99
    assert battery.after(0, 100, round_up=True) == 100
    assert battery.after(500, -100) == 399
    assert battery.after(500, -100, round_up=True) == 400


def test_a_watt_hour_of_losses_more_than_there_is_does_not_hold() -> None:
    battery = Battery(0, 1_000, 4_000, 999_999, 999_999)
    assert worst_case_holds(battery, 101, [Exposure(0, 0, 100)])
    assert not worst_case_holds(battery, 100, [Exposure(0, 0, 100)])
    assert worst_case_holds(battery, 900, [Exposure(0, 100, 0)])
    assert not worst_case_holds(battery, 901, [Exposure(0, 100, 0)])
