"""The reproductions by name."""

from collections.abc import Callable
from typing import Final

from clients.laboratory.reproduce import gode_sunder, mcafee, smith
from clients.laboratory.reproduce import zip as zip_traders
from clients.laboratory.reproduce.result import Reproduction

# Each takes a seed and the keyword `is_quick`: fewer repetitions, a few seconds.
REPRODUCTIONS: Final[dict[str, Callable[..., Reproduction]]] = {
    "gode-sunder": gode_sunder.reproduce,
    "mcafee": mcafee.reproduce,
    "zip": zip_traders.reproduce,
    "smith": smith.reproduce,
}
