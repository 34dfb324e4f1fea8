"""Documents of the value chain: meters, settlement rules, certificates, allowances and credits, carbon accounts; one file a room.

Beside the operator, members, verifiers and registrars send them: `exchange.order_path.business.senders` has who may send which.
"""

from typing import Final

from exchange.protocol.document import Document
from exchange.protocol.value_chain.accounting import ACCOUNTING
from exchange.protocol.value_chain.certificates import CERTIFICATES
from exchange.protocol.value_chain.credits import CREDITS
from exchange.protocol.value_chain.metering import METERING
from exchange.protocol.value_chain.settlement import SETTLEMENT
from exchange.protocol.value_chain.units import UNITS

VALUE_CHAIN: Final[tuple[type[Document], ...]] = (*METERING, *SETTLEMENT, *UNITS, *CERTIFICATES, *CREDITS, *ACCOUNTING)
