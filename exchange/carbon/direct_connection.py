"""Tests of green direct connection (绿电直连) and of the directly supplied share of a zero-carbon park (docs/rules.md, "Direct connection")."""

from collections.abc import Mapping
from typing import Any

import msgspec

from exchange.carbon import packaged
from exchange.carbon.matching import Share
from exchange.units import PPM


class ConnectionTest(msgspec.Struct, frozen=True, kw_only=True):
    """`gap_wh`: the energy that the share is away from its threshold, 0 where it holds. `passed` is None without anything to measure."""

    name: str
    value_ppm: int
    threshold_ppm: int
    is_minimum: bool
    passed: bool | None
    gap_wh: int


def connection_tests(generation_wh: int, export_wh: int, load_wh: int, rules: Mapping[str, Any]) -> list[ConnectionTest]:
    """The rules of a year on its energy. `generation_wh`: available generation; what is not exported is used in the park. `load_wh`: total use."""
    self_use_wh = generation_wh - export_wh
    return [
        _test("self_use_of_generation", Share(self_use_wh, generation_wh), packaged.ppm(rules["self_use_of_generation"]), is_minimum=True),
        _test("self_use_of_load", Share(self_use_wh, load_wh), packaged.ppm(rules["self_use_of_load"]), is_minimum=True),
        _test("export_of_generation", Share(export_wh, generation_wh), packaged.ppm(rules["export_of_generation"]), is_minimum=False),
        _test("park_direct_share", Share(self_use_wh, load_wh), packaged.ppm(rules["park_direct_share"]), is_minimum=True),
    ]


def _test(name: str, share: Share, threshold_ppm: int, *, is_minimum: bool) -> ConnectionTest:
    """The gap is rounded up: with that much more (or less) the test holds."""
    signed = threshold_ppm * share.whole - share.part * PPM
    gap_wh = max(-(-signed // PPM) if is_minimum else -(signed // PPM), 0)
    passed = None if share.whole <= 0 else share.at_least(threshold_ppm) if is_minimum else share.at_most(threshold_ppm)
    return ConnectionTest(name=name, value_ppm=share.ppm, threshold_ppm=threshold_ppm, is_minimum=is_minimum, passed=passed, gap_wh=gap_wh)
