"""What units of carbon lower, and what they never lower: read by the carbon accounts and the claims matrix (docs/rules.md, "Park credits").

A park credit from inside the park's boundary lowers nothing outside its own scheme: the reduction is in the meters already, so the park's emissions
and every member's Scope 2 have it without the credit. An allowance or a CCER meets an obligation and changes no account of emissions.
"""

from enum import StrEnum
from typing import Final

from exchange.protocol.instrument_class import InstrumentClass


class CarbonAccount(StrEnum):
    """What a unit could be counted against."""

    ETS_OBLIGATION = "ets_obligation"
    PARK_SCHEME_OBLIGATION = "park_scheme_obligation"
    PARK_EMISSIONS = "park_emissions"
    SCOPE2_LOCATION = "scope2_location"
    SCOPE2_MARKET = "scope2_market"
    PRODUCT = "product"


# Certificates of green power are not here: what they lower is the business of the accounts.
LOWERS: Final[dict[InstrumentClass, frozenset[CarbonAccount]]] = {
    InstrumentClass.CEA: frozenset({CarbonAccount.ETS_OBLIGATION}),
    InstrumentClass.CCER: frozenset({CarbonAccount.ETS_OBLIGATION}),
    InstrumentClass.PCC: frozenset({CarbonAccount.PARK_SCHEME_OBLIGATION}),
}
