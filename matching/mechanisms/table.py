"""The table of mechanisms. docs/mechanisms.md shows it; a test holds the two together."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from matching.mechanisms import huang, mcafee, mid_market, muda, no_market, one_way, pay_as_bid, sbb, supply_demand, uniform, vcg
from matching.mechanisms.interface import Mechanism

_TWO_SIDED: Final = (uniform, pay_as_bid, mcafee, sbb, muda, huang, vcg, mid_market, supply_demand, no_market)

# Mechanisms that take any orders of two sides, by name.
MECHANISMS: Final[Mapping[str, Mechanism]] = MappingProxyType({module.MECHANISM.name: module.MECHANISM for module in _TWO_SIDED})

# Takes exactly one order on the auctioned side, so it is no alternative to the others.
ONE_WAY: Final = one_way.MECHANISM
