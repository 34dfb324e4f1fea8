"""Documents of keys, approvals and changed rules (docs/rules.md, "Keys", "Four eyes" and "Changes of rules")."""

from typing import ClassVar, Final

from exchange.protocol.document import Document, Key


class RegisterKey(Document, frozen=True, kw_only=True):
    """One more key for an account."""

    SCHEMA: ClassVar[str] = "register_key"
    account: int
    key: Key


class ChangeKey(Document, frozen=True, kw_only=True):
    """Other scopes for a key, or another expiry (0: none); what is absent stays. New scopes end its sessions, which were opened with the old."""

    SCHEMA: ClassVar[str] = "change_key"
    key_id: str
    scopes: list[str] | None = None
    not_after_ns: int | None = None


class RotateKey(Document, frozen=True, kw_only=True):
    """A new key of the same account and person with the scopes of `key_id`, good at once; the old one is good until `old_until_ns`."""

    SCHEMA: ClassVar[str] = "rotate_key"
    key_id: str
    new_key_id: str
    new_public_key: bytes
    old_until_ns: int
    new_not_after_ns: int = 0


class RevokeKey(Document, frozen=True, kw_only=True):
    """A key may do nothing more, its sessions end."""

    SCHEMA: ClassVar[str] = "revoke_key"
    key_id: str
    reason: str = ""


class SetApprovalRules(Document, frozen=True, kw_only=True):
    """How the operator's acts are approved. `mode`: single (one operator is enough) or four_eyes.

    Without approval one day (of Asia/Shanghai) sees at most `money_micro` moved by deposits and withdrawals, and `issue_lots` units issued, all
    accounts and operators together. A proposal waits `window_ns` for its approval.
    """

    SCHEMA: ClassVar[str] = "set_approval_rules"
    mode: str
    window_ns: int
    money_micro: int = 0
    issue_lots: int = 0


class Propose(Document, frozen=True, kw_only=True):
    """Lay a document (its bytes in the journal, `encode_document`) before another person."""

    SCHEMA: ClassVar[str] = "propose"
    document: bytes
    reason: str


class ApproveProposal(Document, frozen=True, kw_only=True):
    """Another person approves, and the document is carried out. `digest` is the SHA-256 of its bytes: who approves says what was read."""

    SCHEMA: ClassVar[str] = "approve_proposal"
    proposal: int
    digest: bytes


class RejectProposal(Document, frozen=True, kw_only=True):
    """Another person says no."""

    SCHEMA: ClassVar[str] = "reject_proposal"
    proposal: int
    reason: str


class WithdrawProposal(Document, frozen=True, kw_only=True):
    """The person who proposed takes it back."""

    SCHEMA: ClassVar[str] = "withdraw_proposal"
    proposal: int


class ChangeTerms(Document, frozen=True, kw_only=True):
    """Other terms of a listed instrument; what is absent stays. Fees change only while nothing is open, since open orders hold the old ones."""

    SCHEMA: ClassVar[str] = "change_terms"
    symbol: str
    reason: str
    band_low_ticks: int | None = None
    band_high_ticks: int | None = None
    max_order_lots: int | None = None
    maker_fee_lot_micro: int | None = None
    taker_fee_lot_micro: int | None = None
    maker_fee_tick_lot_micro: int | None = None
    taker_fee_tick_lot_micro: int | None = None


class ChangeParticipant(Document, frozen=True, kw_only=True):
    """Other permissions, power limits or beneficial owner of a participant; what is absent stays. They hold for orders from here on.

    `beneficial_owner` (实际控制人) is the account that controls this one: its own, or that of a participant who controls itself.
    """

    SCHEMA: ClassVar[str] = "change_participant"
    account: int
    reason: str
    permissions: list[str] | None = None
    min_net_power_lots: int | None = None
    max_net_power_lots: int | None = None
    beneficial_owner: int | None = None


class SetOwnerRules(Document, frozen=True, kw_only=True):
    """What beneficial owners are looked at for. `self_trade_scope`: account, or beneficial_owner (no trade among the accounts of one owner).

    `limit_lots`: net lots of all accounts of one owner together in a quarter-hour, either way, worst case; 0: no limit.
    """

    SCHEMA: ClassVar[str] = "set_owner_rules"
    self_trade_scope: str
    limit_lots: int = 0


class ActivateLevel(Document, frozen=True, kw_only=True):
    """From here on the exchange behaves as a newer version does: the next level, never an earlier one. A new exchange begins at the newest."""

    SCHEMA: ClassVar[str] = "activate_level"
    level: int


class CorrectLedger(Document, frozen=True, kw_only=True):
    """Money moved by hand from `debit` to `credit`, to put right what went wrong: two participants, or one and an account of the house.

    `reference` names the case outside the exchange, as a complaint or a bank's slip. Both sides see `reason` and `reference`.
    """

    SCHEMA: ClassVar[str] = "correct_ledger"
    debit: int
    credit: int
    amount_micro: int
    reason: str
    reference: str


class ConfirmClock(Document, frozen=True, kw_only=True):
    """The operator has looked at a wall clock that was stepped, and it is right: `wall_ns` is the time that it should show."""

    SCHEMA: ClassVar[str] = "confirm_clock"
    wall_ns: int
    reason: str


ADMINISTRATION: Final[tuple[type[Document], ...]] = (
    RegisterKey, ChangeKey, RotateKey, RevokeKey, SetApprovalRules, Propose, ApproveProposal, RejectProposal, WithdrawProposal, ChangeTerms,
    ChangeParticipant, SetOwnerRules, ActivateLevel, CorrectLedger, ConfirmClock,
)  # fmt: skip
