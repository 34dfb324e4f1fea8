"""Rules of a scenario from their tables: the market, imbalance, forecasts, sharing. What cannot be is noted with its place."""

import datetime
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Final

from clients.laboratory.scenario import names
from clients.laboratory.scenario.model import ForecastRules, ImbalanceRules, MarketRules, SharingRules
from clients.laboratory.scenario.schema import ForecastTable, ImbalanceTable, MarketTable, ScenarioTable, SharingTable
from clients.scenarios.attributes import Reader
from clients.scenarios.layers import Place
from clients.scenarios.schema import PowerTable
from exchange.units import PPM

MINUTES_A_DAY: Final = 24 * 60
_ROUNDS_MAX: Final = 96


def market_rules(table: ScenarioTable, reader: Reader) -> MarketRules:
    """[market], over [power]."""
    market, place = table.market, ("market",)
    for key, known in (
        ("mechanism", names.MECHANISMS), ("tie", names.TIES), ("self_trade", names.SELF_TRADES), ("transparency", names.TRANSPARENCIES)
    ):  # fmt: skip
        one_of(getattr(market, key), known, reader, *place, key)
    given = _Given(market, table.power, reader)
    opens_minute = given.minute("opens")
    auction = given.whole("opening_auction_minutes", 0, MINUTES_A_DAY)
    gate = given.whole("gate_closure_minutes", 0, MINUTES_A_DAY)
    _check_times(market, opens_minute, auction, gate, reader)
    low, high = given.scaled("min_price_cny_per_kwh", 4), given.scaled("max_price_cny_per_kwh", 4)
    if low >= high:
        reader.note("market: min_price is not below max_price: the price band is inverted", *given.place("min_price_cny_per_kwh"))
    tick = reader.within(market.tick_cny_per_kwh, 4, 1, max(1, high - low), *place, "tick_cny_per_kwh")
    largest = given.scaled("max_order_kwh", 1)
    lot = reader.within(market.lot_kwh, 1, 1, max(1, largest), *place, "lot_kwh")
    return MarketRules(
        mechanism=market.mechanism,
        k_ppm=permille(market.k_permille, reader, *place, "k_permille"),
        tie=market.tie,
        opens=datetime.time(opens_minute // 60, opens_minute % 60),
        opening_auction_minutes=auction,
        gate_closure_minutes=gate,
        day_ahead_rounds=reader.whole(market.day_ahead_rounds, 0, _ROUNDS_MAX, *place, "day_ahead_rounds"),
        day_ahead_minutes=reader.whole(market.day_ahead_minutes, 0, MINUTES_A_DAY, *place, "day_ahead_minutes"),
        rounds_before_gate_minutes=tuple(market.rounds_before_gate_minutes),
        tick_step=tick,
        lot_step=lot,
        min_price_ticks=low,
        max_price_ticks=high,
        max_order_lots=largest,
        maker_fee_micro_per_kwh=given.scaled("maker_fee_cny_per_kwh", 6),
        taker_fee_micro_per_kwh=given.scaled("taker_fee_cny_per_kwh", 6),
        park_fee_micro_per_kwh=given.scaled("park_fee_cny_per_kwh", 6),
        environment_micro_per_kwh=given.scaled("environment_cny_per_kwh", 6),
        self_trade=market.self_trade,
        transparency=market.transparency,
    )


class _Given:
    """Values of [market] where it states them, else of [power]."""

    def __init__(self, market: MarketTable, power: PowerTable | None, reader: Reader) -> None:
        self._market = market
        self._power = power
        self._reader = reader

    def place(self, key: str) -> Place:
        return ("power", key) if self._power is not None and getattr(self._market, key) is None else ("market", key)

    def value(self, key: str) -> str | int:
        """The value; of [power] where [market] does not state it. 0 after noting that neither does."""
        for table in (self._market, self._power):
            stated: str | int | None = getattr(table, key, None)
            if stated is not None:
                return stated
        self._reader.note(f"market.{key} is missing, and there is no [power] to take it from", "market", key)
        return "00:00" if key == "opens" else 0

    def scaled(self, key: str, decimals: int) -> int:
        return self._reader.scaled(self.value(key), decimals, *self.place(key))

    def whole(self, key: str, low: int, high: int) -> int:
        return self._reader.whole(int(self.value(key)), low, high, *self.place(key))

    def minute(self, key: str) -> int:
        return minute_of(str(self.value(key)), self._reader, *self.place(key))


def _check_times(market: MarketTable, opens_minute: int, auction: int, gate: int, reader: Reader) -> None:
    """The first quarter-hour of a day begins at midnight: its gate, and all rounds before it, must lie after the opening."""
    open_minutes = MINUTES_A_DAY - opens_minute - gate
    last_ahead = (market.day_ahead_rounds - 1) * market.day_ahead_minutes if market.day_ahead_rounds else 0
    if open_minutes <= auction:
        reader.note(
            f"market.gate_closure_minutes: the book of 00:00 would close {gate} minutes before, when it has not yet opened at "
            f"{opens_minute // 60:02d}:{opens_minute % 60:02d} and been through an opening auction of {auction} minutes",
            "market", "gate_closure_minutes",
        )  # fmt: skip
    elif auction + last_ahead > open_minutes:
        reader.note(
            f"market.day_ahead_rounds: {market.day_ahead_rounds} rounds every {market.day_ahead_minutes} minutes end after the first gate, "
            f"{open_minutes} minutes from the opening",
            "market", "day_ahead_rounds",
        )  # fmt: skip
    rounds = market.rounds_before_gate_minutes
    if any(later >= earlier for earlier, later in pairwise(rounds)) or any(not 0 <= at < 2 * MINUTES_A_DAY for at in rounds):
        reader.note(
            f"market.rounds_before_gate_minutes: expected minutes before the gate, each less than the one before, such as 60, 15, 0; got "
            f"{', '.join(str(at) for at in rounds)}",
            "market", "rounds_before_gate_minutes",
        )  # fmt: skip
    if not market.day_ahead_rounds + len(rounds):
        reader.note("market: without a round nobody can trade", "market", "rounds_before_gate_minutes")
    if len(rounds) > _ROUNDS_MAX:
        reader.note(f"market.rounds_before_gate_minutes: at most {_ROUNDS_MAX} rounds", "market", "rounds_before_gate_minutes")


def imbalance_rules(table: ImbalanceTable, reader: Reader) -> ImbalanceRules:
    """[imbalance]."""
    one_of(table.rule, names.IMBALANCES, reader, "imbalance", "rule")
    return ImbalanceRules(imbalance=table.rule, alpha_ppm=permille(table.alpha_permille, reader, "imbalance", "alpha_permille"))


def sharing_rules(table: SharingTable, reader: Reader) -> SharingRules:
    """[sharing]."""
    one_of(table.rule, names.SHARINGS, reader, "sharing", "rule")
    return SharingRules(rule=table.rule, operator_ppm=permille(table.operator_permille, reader, "sharing", "operator_permille"))


def forecast_rules(table: ForecastTable, reader: Reader) -> ForecastRules:
    """[forecast]: horizons fall, and what is unknown falls with them."""
    unknown = tuple(permille(value, reader, "forecast", "unknown_permille") for value in table.unknown_permille)
    if not table.horizon_minutes or len(table.horizon_minutes) != len(unknown):
        reader.note(
            f"forecast: {len(table.horizon_minutes)} horizon_minutes and {len(unknown)} unknown_permille; expected as many of each, one at least",
            "forecast", "unknown_permille",
        )  # fmt: skip
    if not _falls(table.horizon_minutes, strictly=True) or min(table.horizon_minutes, default=0) < 0:
        reader.note("forecast.horizon_minutes: expected minutes before delivery, each less than the one before", "forecast", "horizon_minutes")
    if not _falls(unknown, strictly=False):
        reader.note("forecast.unknown_permille: a shorter horizon must not know less; expected shares that fall", "forecast", "unknown_permille")
    error = permille(table.error_permille, reader, "forecast", "error_permille", limit_ppm=10 * PPM)
    return ForecastRules(horizon_minutes=tuple(table.horizon_minutes), unknown_ppm=unknown, error_ppm=error)


def _falls(values: Sequence[int], *, strictly: bool) -> bool:
    return all(later < earlier or (later == earlier and not strictly) for earlier, later in pairwise(values))


def one_of(value: str, known: Collection[str], reader: Reader, *path: str | int) -> None:
    """Note a name that is not known."""
    if value not in known:
        reader.note(f"{reader.name_of(path)}: {value[:40]!r}; expected one of {', '.join(known)}", *path)


def permille(value: str | int, reader: Reader, *path: str | int, limit_ppm: int = PPM) -> int:
    """A share in thousandths as ppm, 0 to `limit_ppm`."""
    return reader.within(value, 3, 0, limit_ppm, *path)


def minute_of(text: str, reader: Reader, *path: str | int, last: int = MINUTES_A_DAY - 1) -> int:
    """Minutes after midnight of a local time HH:MM, to 24:00 where `last` allows it; 0 after noting a problem."""
    try:
        hour, minute = text.split(":")
        if len(hour) != 2 or len(minute) != 2 or not (hour + minute).isascii() or not (hour + minute).isdigit() or int(minute) > 59:
            raise ValueError
        at = 60 * int(hour) + int(minute)
    except ValueError:
        at = -1
    if not 0 <= at <= last:
        reader.note(f"{reader.name_of(path)}: {text[:20]!r} is not a local time such as 16:00", *path)
        return 0
    return at
