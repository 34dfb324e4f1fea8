"""Documents of allowances and credits: allocation, surrender, projects, the park's own scheme."""

from typing import Final

from exchange.protocol.document import Document

CREDITS: Final[tuple[type[Document], ...]] = ()
