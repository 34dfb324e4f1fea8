"""`parkex demo`: read the options, play the day."""

import datetime
from pathlib import Path

from rich.console import Console

from exchange.errors import InputError


def run_demo_command(
    scenario: str,
    date: str,
    meters: Path | None,
    tariff: Path | None,
    seed: int,
    speed: str,
    port: int | None,
    out: Path | None,
    keep_serving: bool,
    read_model: str,
) -> None:
    """Raises InputError for a bad option or file, CheckFailedError when a check of the day does not hold."""
    from clients.simulator.demo import DEFAULT_SPEED, DemoOptions, run_demo
    from exchange.readmodel.engine import open_engine

    if read_model:
        open_engine(read_model).dispose()  # a URL that is none is told before anything starts
    options = DemoOptions(
        scenario=scenario,
        date=parse_date(date),
        meters=meters,
        tariff=tariff,
        seed=seed,
        speed=parse_speed(speed, DEFAULT_SPEED),
        port=port,
        out=out,
        keep_serving=keep_serving,
        read_model=read_model,
    )
    run_demo(options, Console())


def parse_date(text: str) -> datetime.date:
    """A day as 2026-07-15. Raises InputError."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--date {text[:20]!r}: expected a day such as 2026-07-15") from None


def parse_speed(text: str, default: float) -> float | None:
    """Market seconds a wall second; None for `max`. Raises InputError."""
    if text == "max":
        return None
    try:
        speed = float(text) if text else default
    except ValueError:
        speed = 0.0
    # The negation also refuses NaN.
    if not 0 < speed < float("inf"):
        raise InputError(f"--speed {text[:20]!r}: expected a number above zero, or max")
    return speed
