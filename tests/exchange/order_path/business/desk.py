"""A park whose commands name their keys: two operators, Ann and Bob, and what they send."""

from typing import Any

from exchange.accounts.audit import AuditEntry
from exchange.accounts.keys import fingerprint
from exchange.journal.interface import Genesis
from exchange.journal.record import CommandFlag, CommandKind
from exchange.order_path.path import Exchange
from exchange.order_path.settings import ExchangeSettings, encode_settings
from exchange.protocol.documents import Admit, ApproveProposal, Document, Key, Propose, encode_document
from tests.exchange.order_path.park import OPERATOR, Park

ANN, BOB = "operator", "operator-2"


def public_key(name: str) -> bytes:
    return name.encode().ljust(32, b".")[:32]


def genesis(approval: str = "four_eyes", persons: tuple[str, ...] = ("ann", "bob")) -> Genesis:
    settings = ExchangeSettings(approval=approval, operator_persons=persons)
    keys = tuple(public_key(name) for name in (ANN, BOB, "operator-3")[: max(len(persons), 1)])
    return Genesis(park_id="test", hash_key=bytes(range(16)), engine_version="test", operator_keys=keys, document=encode_settings(settings))


class Desk(Park):
    """`say` sends a document with a key; the key of an id has the public key of the same name."""

    def __init__(self, approval: str = "four_eyes", persons: tuple[str, ...] = ("ann", "bob")) -> None:
        self.genesis = genesis(approval, persons)
        super().__init__(Exchange(self.genesis))

    def say(self, document: Document, key_id: str = ANN, account: int = OPERATOR) -> tuple[int, dict[str, Any]]:
        data = encode_document(document)
        number = fingerprint(key_id, public_key(key_id))
        result = self.send(self.record(CommandKind.DOCUMENT, account, document_length=len(data), order_id=number), data)
        self.notices = result.notices
        return int(result.outcomes[0]["code"]), result.results[0]

    def done(self, document: Document, key_id: str = ANN) -> dict[str, Any]:
        code, answer = self.say(document, key_id)
        assert code == 0, (code, answer)
        return answer

    def propose(self, document: Document, key_id: str = ANN) -> dict[str, Any]:
        return self.done(Propose(document=encode_document(document), reason="test"), key_id)

    def approve(self, proposal: dict[str, Any], key_id: str = BOB) -> tuple[int, dict[str, Any]]:
        return self.say(ApproveProposal(proposal=proposal["proposal"], digest=bytes.fromhex(proposal["digest"])), key_id)

    def both(self, document: Document) -> dict[str, Any]:
        """Proposed by Ann, approved by Bob."""
        code, answer = self.approve(self.propose(document))
        assert code == 0, answer
        return answer["result"]

    def member(self, name: str = "factory", **changes: Any) -> int:
        fields: dict[str, Any] = {
            "name": name, "role": "enterprise", "permissions": ["power_buy", "power_sell", "cea_buy", "cea_sell"], "min_net_power_lots": -100_000,
            "max_net_power_lots": 100_000, "keys": [Key(key_id=name, public_key=public_key(name), scopes=["read", "trade"], person=f"of {name}")],
        }  # fmt: skip
        return int(self.done(Admit(**(fields | changes)))["account"])

    def session(self, key_id: str, account: int, session: int, kind: CommandKind = CommandKind.SESSION_OPENED) -> int:
        """Code of a session that opens, or closes, for a key."""
        number = fingerprint(key_id, public_key(key_id))
        return int(self.one(kind, account, session=session, order_id=number, flags=int(CommandFlag.CANCEL_ON_DISCONNECT))["code"])

    @property
    def log_of_acts(self) -> list[AuditEntry]:
        return list(self.exchange.rooms.audit.tail)

    def noticed(self, kind: str) -> list[dict[str, Any]]:
        """Notices of a kind of the last document."""
        return [notice.data for notice in self.notices if notice.kind == kind]
