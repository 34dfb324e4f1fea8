"""Documents of certificates: their issuance from meter data, claims and retirements."""

from typing import Final

from exchange.protocol.document import Document

CERTIFICATES: Final[tuple[type[Document], ...]] = ()
