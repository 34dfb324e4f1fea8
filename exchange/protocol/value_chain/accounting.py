"""Documents of the carbon accounts: activity data and emission factors."""

from typing import Final

from exchange.protocol.document import Document

ACCOUNTING: Final[tuple[type[Document], ...]] = ()
