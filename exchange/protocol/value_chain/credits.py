"""Documents of allowances and credits: the national market, projects, the park's own scheme."""

from typing import Final

from exchange.protocol.document import Document
from exchange.protocol.value_chain.allowances import ALLOWANCES
from exchange.protocol.value_chain.park_scheme import PARK_SCHEME
from exchange.protocol.value_chain.projects import PROJECTS

CREDITS: Final[tuple[type[Document], ...]] = (*ALLOWANCES, *PROJECTS, *PARK_SCHEME)
