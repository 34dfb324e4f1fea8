"""Business documents: what a journaled DOCUMENT command carries.

On the wire of the journal a document is canonical MessagePack of `[schema, version, body]` with map keys in field order of the struct.
All numbers are integers in the units of `exchange.units`; the gateway turns decimal strings into them before a document exists.
"""

from typing import Any, ClassVar, Final

import msgspec

from exchange.errors import InputError
from exchange.protocol.administration import (
    ADMINISTRATION,
    ActivateLevel,
    ApproveProposal,
    ChangeKey,
    ChangeParticipant,
    ChangeTerms,
    ConfirmClock,
    CorrectLedger,
    Propose,
    RegisterKey,
    RejectProposal,
    RevokeKey,
    RotateKey,
    SetApprovalRules,
    SetOwnerRules,
    WithdrawProposal,
)
from exchange.protocol.document import Document, Key
from exchange.protocol.value_chain import VALUE_CHAIN

__all__ = [
    "DOCUMENTS", "DOCUMENT_LIMIT_BYTES", "ActivateLevel", "Admit", "AmendBid", "ApproveProposal", "CancelAfter", "CancelOneWayAuction", "ChangeKey",
    "ChangeParticipant",
    "ChangeTerms", "Checkpoint", "ConfirmBlock", "ConfirmClock", "CorrectLedger",
    "DeclineBlock", "Deposit", "Document", "InstrumentSpec", "IssueUnits", "Key", "ListInstruments",
    "MeterReadings", "Nominate", "OpenOneWayAuction", "OpeningPosition", "OpeningPositions", "PlaceBid", "Propose", "ProposeBlock", "RegisterKey",
    "RegisterStorage", "RejectProposal", "RevokeKey", "RotateKey", "SetApprovalRules", "SetOwnerRules", "SetPhase", "SettleDay", "WithdrawBid",
    "WithdrawBlock", "WithdrawProposal", "decode_document", "document_from_wire", "encode_document",
]  # fmt: skip

DOCUMENT_LIMIT_BYTES: Final = 4 * 1024 * 1024


class Admit(Document, frozen=True, kw_only=True):
    """Admit one participant: account, role, permissions and limits. The fold assigns the account id.

    `permissions` are names of `exchange.accounts.permissions.Permission`. Power limits are net lots a quarter-hour, worst case over
    trades and open orders: bought positive, so a load has min 0 and a generator max 0. `beneficial_owner`: see ChangeParticipant; 0: itself.
    """

    SCHEMA: ClassVar[str] = "admit"
    name: str
    role: str
    permissions: list[str]
    min_net_power_lots: int = 0
    max_net_power_lots: int = 0
    keys: list[Key] = msgspec.field(default_factory=list)
    beneficial_owner: int = 0


class Deposit(Document, frozen=True, kw_only=True):
    """Money from outside to an account (positive) or back (negative; refused beyond what is available)."""

    SCHEMA: ClassVar[str] = "deposit"
    account: int
    amount_micro: int
    reference: str


class RegisterStorage(Document, frozen=True, kw_only=True):
    """Storage behind the metering point of an account. Efficiencies in parts per million, one way each."""

    SCHEMA: ClassVar[str] = "register_storage"
    account: int
    soc_wh: int
    soc_min_wh: int
    soc_max_wh: int
    power_w: int
    charge_efficiency_ppm: int
    discharge_efficiency_ppm: int


class InstrumentSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One instrument. `price_decimals` and `quantity_decimals` place the point of the wire's decimal strings: one tick is 10**-price_decimals,
    one lot 10**-quantity_decimals of the quoted unit. `multiplier_micro` is the money of one tick on one lot.

    instrument_class: power, gec, cea, ccer, pcc. venue: park, national_simulated, internal. calendar: continuous, cea (exchange.market.calendar).
    resale: free, next_day (not the day it was bought), none (bought units stay).
    A fee of one lot at price p is fee_lot_micro + p * fee_tick_lot_micro: integers, so fees are exact and linear.

    Auctions: `opening_auction_ns` and `closing_auction_ns` are the lengths of the call phases at the two ends of trading, 0 for none (power only).
    A trade further than `interruption_ppm` of the reference price away from it (price of the last auction, before that
    `reference_price_ticks`; -1: none) interrupts trading for `interruption_ns`, and an auction ends that. auction_price_rule: reference, k.

    `limit_ppm`: daily price limit around the previous close, in parts per million; the band is then the one that `previous_close_ticks` gives.
    `block_limit_ppm`, `block_min_lots`: the limit and the least quantity of block trades; 0: none are taken.
    """

    symbol: str
    instrument_class: str
    venue: str
    calendar: str
    price_decimals: int
    quantity_decimals: int
    multiplier_micro: int
    unit: str
    min_price_ticks: int
    max_price_ticks: int
    band_low_ticks: int
    band_high_ticks: int
    max_order_lots: int
    resale: str = "free"
    maker_fee_lot_micro: int = 0
    taker_fee_lot_micro: int = 0
    maker_fee_tick_lot_micro: int = 0
    taker_fee_tick_lot_micro: int = 0
    # Power only.
    park_fee_lot_micro: int = 0
    deficit_price_ticks: int = 0
    surplus_price_ticks: int = 0
    environment_price_ticks: int = 0
    delivery_start_ns: int = 0
    delivery_end_ns: int = 0
    open_ns: int = 0
    close_ns: int = 0
    # Auctions.
    opening_auction_ns: int = 0
    closing_auction_ns: int = 0
    interruption_ppm: int = 0
    interruption_ns: int = 0
    reference_price_ticks: int = -1
    auction_price_rule: str = "reference"
    k_ppm: int = 500_000
    # Daily limits, units with trading days only.
    limit_ppm: int = 0
    previous_close_ticks: int = 0
    block_limit_ppm: int = 0
    block_min_lots: int = 0


class ListInstruments(Document, frozen=True, kw_only=True):
    SCHEMA: ClassVar[str] = "list_instruments"
    instruments: list[InstrumentSpec]


class SetPhase(Document, frozen=True, kw_only=True):
    """Operator halt (`halted`) or resume (`resume`: back to what the calendar says)."""

    SCHEMA: ClassVar[str] = "set_phase"
    symbol: str
    phase: str
    reason: str


class OpeningPosition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    account: int
    symbol: str
    net_lots: int


class OpeningPositions(Document, frozen=True, kw_only=True):
    """Monthly contracts decomposed to quarter-hours (合同电量分解): bought positive. For each instrument they sum to zero.

    The contract is settled bilaterally outside the exchange at its own price; here it is a delivery obligation only.
    `contract_price_ticks` is information for statements.
    """

    SCHEMA: ClassVar[str] = "opening_positions"
    positions: list[OpeningPosition]
    contract_price_ticks: int = 0


class IssueUnits(Document, frozen=True, kw_only=True):
    """Certificates, allowances or credits enter an account, from the registry that the instrument's venue models."""

    SCHEMA: ClassVar[str] = "issue_units"
    account: int
    symbol: str
    quantity_lots: int
    reference: str


class Nominate(Document, frozen=True, kw_only=True):
    """Storage schedule of one delivery period; injection positive. Without one the net position is the schedule."""

    SCHEMA: ClassVar[str] = "nominate"
    account: int
    symbol: str
    injection_wh: int


class MeterReadings(Document, frozen=True, kw_only=True):
    """A file of readings as columns. Row i: `accounts[i]` in the period that starts at `period_starts_ns[i]`.

    `consumption_wh` and `generation_wh` are what the metering point took for load or charging and what it produced or discharged, both >= 0;
    the account's net injection is generation - consumption. `soc_wh[i]` is the state of charge at the period's end, -1 where there is no storage.
    Grid meter and losses are readings of their own: one row per entry of `grid_starts_ns`.
    A reading of the same account and period of a later document with a higher `revision` replaces the earlier one (substitution is a new entry).
    """

    SCHEMA: ClassVar[str] = "meter_readings"
    revision: int
    accounts: list[int]
    period_starts_ns: list[int]
    consumption_wh: list[int]
    generation_wh: list[int]
    soc_wh: list[int]
    grid_starts_ns: list[int]
    grid_import_wh: list[int]
    grid_export_wh: list[int]
    losses_wh: list[int]


class SettleDay(Document, frozen=True, kw_only=True):
    """Settle every delivered power period with day_start_ns <= delivery start < day_end_ns against the meters."""

    SCHEMA: ClassVar[str] = "settle_day"
    day: str
    day_start_ns: int
    day_end_ns: int
    # By account id, as text: volumetric T&D of the member's voltage level.
    voltage_adders_micro_per_kwh: dict[str, int] = msgspec.field(default_factory=dict)


class ProposeBlock(Document, frozen=True, kw_only=True):
    """A block trade (大宗协议) negotiated with `counterparty`, proposed by the sender, whose side is buy or sell.

    `client_id` is the sender's own: the same proposal sent again has no second effect.
    """

    SCHEMA: ClassVar[str] = "propose_block"
    client_id: str
    symbol: str
    side: str
    counterparty: int
    price_ticks: int
    quantity_lots: int


class ConfirmBlock(Document, frozen=True, kw_only=True):
    """The counterparty confirms: the trade is posted."""

    SCHEMA: ClassVar[str] = "confirm_block"
    proposal: int


class DeclineBlock(Document, frozen=True, kw_only=True):
    """The counterparty declines."""

    SCHEMA: ClassVar[str] = "decline_block"
    proposal: int


class WithdrawBlock(Document, frozen=True, kw_only=True):
    """The proposer withdraws what is not confirmed yet."""

    SCHEMA: ClassVar[str] = "withdraw_block"
    proposal: int


class OpenOneWayAuction(Document, frozen=True, kw_only=True):
    """A one-way auction (单向竞价) for one applicant, whose side is buy or sell; `reference` is the operator's own id.

    tie: time, pro_rata, lot (drawn from `seed`). Bids are taken in [opens_ns, closes_ns) and cleared at its end.
    """

    SCHEMA: ClassVar[str] = "open_one_way_auction"
    reference: str
    symbol: str
    applicant: int
    side: str
    quantity_lots: int
    reserve_price_ticks: int
    opens_ns: int
    closes_ns: int
    tie: str = "time"
    seed: int = 0
    fails_if_undersubscribed: bool = False


class CancelOneWayAuction(Document, frozen=True, kw_only=True):
    """End an auction without trades."""

    SCHEMA: ClassVar[str] = "cancel_one_way_auction"
    auction: int
    reason: str


class PlaceBid(Document, frozen=True, kw_only=True):
    """A sealed bid of the sender, under an id of its own within the auction."""

    SCHEMA: ClassVar[str] = "place_bid"
    auction: int
    client_id: str
    price_ticks: int
    quantity_lots: int


class AmendBid(Document, frozen=True, kw_only=True):
    """Another price and quantity for a sealed bid; `revision` is the one last told."""

    SCHEMA: ClassVar[str] = "amend_bid"
    auction: int
    client_id: str
    revision: int
    price_ticks: int
    quantity_lots: int


class WithdrawBid(Document, frozen=True, kw_only=True):
    SCHEMA: ClassVar[str] = "withdraw_bid"
    auction: int
    client_id: str


class CancelAfter(Document, frozen=True, kw_only=True):
    """Dead man's switch of the sender: without another one within `timeout_ns` its open orders are cancelled, or those with `label`. 0: off."""

    SCHEMA: ClassVar[str] = "cancel_after"
    timeout_ns: int
    label: int | None = None


class Checkpoint(Document, frozen=True, kw_only=True):
    """Both hashes as of `sequence`, the command just before this one. Carried by a CHECKPOINT command; replay compares."""

    SCHEMA: ClassVar[str] = "checkpoint"
    sequence: int
    state_hash: bytes
    event_hash: str


_ALL: Final[tuple[type[Document], ...]] = (
    Admit, *ADMINISTRATION, Deposit, RegisterStorage, ListInstruments, SetPhase, OpeningPositions, IssueUnits, Nominate, MeterReadings,
    SettleDay, ProposeBlock, ConfirmBlock, DeclineBlock, WithdrawBlock, OpenOneWayAuction, CancelOneWayAuction,
    PlaceBid, AmendBid, WithdrawBid, CancelAfter, Checkpoint, *VALUE_CHAIN,
)  # fmt: skip
DOCUMENTS: Final[dict[str, type[Document]]] = {cls.SCHEMA: cls for cls in _ALL}

_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")
_ENVELOPE: Final = msgspec.msgpack.Decoder(tuple[str, int, msgspec.Raw])


def encode_document(document: Document) -> bytes:
    """Canonical bytes of a document: equal documents have equal bytes."""
    return _encoder.encode((document.SCHEMA, document.VERSION, document))


def decode_document(data: bytes) -> Document:
    """Inverse of `encode_document`. Raises InputError for an unknown schema or version, or a body that does not fit."""
    try:
        schema, version, body = _ENVELOPE.decode(data)
        cls = DOCUMENTS.get(schema)
        if cls is None or version != cls.VERSION:
            raise InputError(f"unknown document schema or version: {schema[:40]} {version}")
        return msgspec.msgpack.decode(body, type=cls)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("document does not fit its schema") from error


def document_from_wire(schema: str, body: Any) -> Document:
    """A document from decoded JSON (an operator's request). Raises InputError naming the schema, never the content."""
    cls = DOCUMENTS.get(schema)
    if cls is None:
        raise InputError("unknown document schema")
    try:
        return msgspec.convert(body, type=cls)
    except (msgspec.ValidationError, RecursionError) as error:
        raise InputError(f"document does not fit schema {schema}") from error
