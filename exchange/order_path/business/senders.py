"""Who may send which document, and the scope that its key needs. What has no row here is the operator's (docs/rules.md, "Roles")."""

from typing import Final, NamedTuple

from exchange.accounts.permissions import Role
from exchange.protocol.document import Document
from exchange.protocol.value_chain.settlement import OfferCurtailment

# Who may hold units.
HOLDERS: Final = frozenset({Role.ENTERPRISE, Role.GENERATOR, Role.PROSUMER, Role.STORAGE, Role.MARKET_MAKER, Role.ESCO})


class Senders(NamedTuple):
    """`scope`: trade for a participant's own business, verify for a signed opinion, operate for an act of administration."""

    roles: frozenset[Role]
    scope: str


# One row a document of the value chain that others than the operator send.
SENDERS: Final[dict[type[Document], Senders]] = {
    OfferCurtailment: Senders(HOLDERS, "trade"),
}
