"""Documents of units that have serial numbers: transfers, locks, freezes, and which of them are delivered."""

from typing import Final

from exchange.protocol.document import Document

UNITS: Final[tuple[type[Document], ...]] = ()
