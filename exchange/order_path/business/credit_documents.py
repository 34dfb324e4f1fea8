"""All documents on allowances and credits."""

from typing import Final

from exchange.order_path.business import credit_allocation, credit_issuance, credit_park, credit_projects, credit_surrender
from exchange.order_path.business.rules import Handler
from exchange.protocol.document import Document

HANDLERS: Final[dict[type[Document], Handler]] = {
    **credit_allocation.HANDLERS,
    **credit_surrender.HANDLERS,
    **credit_projects.HANDLERS,
    **credit_issuance.HANDLERS,
    **credit_park.HANDLERS,
}
