"""Ranges of the protocol that both the gateway and the fold check."""

from typing import Final

from exchange.units import NS_PER_HOUR, NS_PER_SECOND

# Of a dead man's switch: shorter than a second would fire on a hiccup of the network, longer than a day protects nobody.
CANCEL_AFTER_MIN_NS: Final = NS_PER_SECOND
CANCEL_AFTER_MAX_NS: Final = 24 * NS_PER_HOUR
