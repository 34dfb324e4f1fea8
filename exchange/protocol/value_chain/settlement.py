"""Documents of settlement: its rules, dispatch, and runs that correct earlier ones."""

from typing import Final

from exchange.protocol.document import Document

SETTLEMENT: Final[tuple[type[Document], ...]] = ()
