"""The handlers of all documents of certificates."""

from typing import Final

from exchange.order_path.business import monthly_certificates, retire, storage_certificates
from exchange.order_path.business.rules import Handler
from exchange.protocol.document import Document

HANDLERS: Final[dict[type[Document], Handler]] = {
    **monthly_certificates.HANDLERS,
    **retire.HANDLERS,
    **storage_certificates.HANDLERS,
}
