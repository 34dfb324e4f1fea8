"""The base of all business documents, and what several files of documents share."""

from typing import ClassVar

import msgspec


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all documents. `SCHEMA` names it in the journal, `VERSION` its layout."""

    SCHEMA: ClassVar[str]
    VERSION: ClassVar[int] = 1


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of a row inside a document."""


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An Ed25519 key of a participant. Scopes: read, trade, operate, verify, audit.

    `person` names who holds the private key, the same for all keys of one human being: four eyes are two persons. From `not_after_ns` on the key
    may do nothing more; 0: it does not expire.
    """

    key_id: str
    public_key: bytes
    scopes: list[str]
    person: str = ""
    not_after_ns: int = 0
