"""Tables of the read model. Integers in the units of `exchange.units`; accounts, instruments and orders by their permanent ids.

`sequence` is the command that caused a row and (sequence, index) the permanent id of an event. `stamp_ns` is the command's time.
"""

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, MetaData, SmallInteger, Table, Text

# 2: the mode of a trade, auctions, daily closes; 3: the audit log; 4: flows, readings by device, the time of a posting, runs of statements
SCHEMA_VERSION: Final = 4

metadata: Final = MetaData()


def _key() -> Column[Any]:
    """Part of the event id."""
    return Column("sequence", BigInteger, primary_key=True, autoincrement=False)


def _index() -> Column[Any]:
    return Column("index", BigInteger, primary_key=True, autoincrement=False)


def _id(name: str) -> Column[Any]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def _int(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False)


def _small(name: str) -> Column[Any]:
    return Column(name, SmallInteger, nullable=False)


def _text(name: str) -> Column[Any]:
    return Column(name, Text, nullable=False)


# One row. `genesis_hash` says whose read model this is; `chain_hash` is that of the journal behind `last_sequence`, empty when it was not told.
meta: Final = Table(
    "meta", metadata, _id("id"), _int("schema_version"), _text("genesis_hash"), _int("last_sequence"), _text("chain_hash"), _int("epoch")
)

# Every event of every order, as exchange.order_path.records.EXECUTION has it.
executions: Final = Table(
    "executions", metadata, _key(), _index(), _small("kind"), _small("side"), _small("reason"), _int("stamp_ns"), _int("instrument"),
    _int("order_id"), _int("counter_order_id"), _int("price_ticks"), _int("quantity_lots"), _int("remaining_lots"), _int("counter_remaining_lots"),
    _int("fee_micro"), _int("counter_fee_micro"), _int("seq"), _int("counter_seq"), _int("trade_number"), _int("account"), _int("counter_account"),
    _text("client_order_id"), _text("counter_client_order_id"),
    Index("executions_by_account", "account", "seq"), Index("executions_by_counter_account", "counter_account", "counter_seq"),
)  # fmt: skip

# The trades among the executions, by buyer and seller. `taker_side` 0 is buy; in a call auction there was no taker. `mode`: listed, auction, block,
# one_way.
trades: Final = Table(
    "trades", metadata, _key(), _index(), _int("stamp_ns"), _int("instrument"), _int("trade_number"), _int("price_ticks"), _int("quantity_lots"),
    _small("taker_side"), _int("buyer"), _int("seller"), _int("buy_order_id"), _int("sell_order_id"), _int("buyer_fee_micro"),
    _int("seller_fee_micro"), _text("mode"), Index("trades_by_instrument", "instrument", "trade_number"),
)  # fmt: skip

# The last known state of every order that got an id. `status`: open, filled, cancelled; `reason` is matching.records.Reason.
orders: Final = Table(
    "orders", metadata, _id("order_id"), _int("account"), _int("instrument"), _small("side"), _small("order_type"), _small("time_in_force"),
    _text("client_order_id"), _int("label"), _int("placed_sequence"), _int("placed_ns"), _int("original_lots"), _int("price_ticks"),
    _int("revision"), _int("filled_lots"), _int("remaining_lots"), _text("status"), _small("reason"), _int("last_sequence"),
    Index("orders_by_account", "account", "order_id"),
)  # fmt: skip

# Every movement of money (asset 0, micro-CNY) and units (asset: instrument id, lots). `reason` is exchange.ledger.records.PostingReason.
# `stamp_ns` is the time of the command, also for what a deadline before it did.
postings: Final = Table(
    "postings", metadata, _key(), _index(), _int("debit"), _int("credit"), _int("asset"), _int("amount"), _small("reason"),
    _int("stamp_ns"),
    Index("postings_by_debit", "debit", "sequence"), Index("postings_by_credit", "credit", "sequence"),
)  # fmt: skip

participants: Final = Table("participants", metadata, _id("account"), _text("name"), _text("role"), _int("sequence"))

# `specification` is the published facts as JSON; `phase` is the last known one.
instruments: Final = Table(
    "instruments", metadata, _id("id"), Column("symbol", Text, nullable=False, unique=True), _text("instrument_class"), _text("venue"),
    _int("price_decimals"), _int("quantity_decimals"), _int("delivery_start_ns"), _int("delivery_end_ns"), _text("specification"),
    _text("phase"), _int("sequence"),
)  # fmt: skip

phases: Final = Table("phases", metadata, _key(), _index(), _int("stamp_ns"), _text("symbol"), _text("phase"))

# Auctions that were held, by the call phase that they ended. Without a trade `volume_lots` is 0 and there is no price.
auctions: Final = Table(
    "auctions", metadata, _key(), _index(), _int("stamp_ns"), _text("symbol"), _text("phase"), Column("price_ticks", BigInteger),
    _int("volume_lots"),
)  # fmt: skip
# The close of every trading day of an instrument with a daily limit.
closes: Final = Table("closes", metadata, _key(), _index(), _int("stamp_ns"), _text("symbol"), _int("close_ticks"), _int("traded_lots"))

# The audit log; `entry` is exchange.accounts.audit.AuditEntry as JSON.
audit_entries: Final = Table("audit_entries", metadata, _id("number"), _int("sequence"), _text("entry"))

# Every revision of a reading; the highest one counts.
readings: Final = Table(
    "readings", metadata, _id("account"), _id("period_start_ns"), _id("revision"), _int("consumption_wh"), _int("generation_wh"),
    _int("soc_wh"), _int("sequence"),
)  # fmt: skip

grid_readings: Final = Table(
    "grid_readings", metadata, _id("period_start_ns"), _id("revision"), _int("import_wh"), _int("export_wh"), _int("losses_wh"), _int("sequence")
)

# Every revision of a reading by device; the highest one counts. `quality` and `version` are those of exchange.metering.device_store. `index` is the
# number of the row among the new ones of its document.
device_readings: Final = Table(
    "device_readings", metadata, _key(), _index(), _int("device"), _int("period_start_ns"), _int("revision"), _int("account"),
    _small("is_electric"), _small("quality"), _small("version"), _int("import_wh"), _int("export_wh"),
    Index("device_readings_by_device", "device", "period_start_ns", "revision"), Index("device_readings_by_account", "account", "period_start_ns"),
)  # fmt: skip

# Values of the carbon and project flows (exchange.order_path.flows); of one flow, subject, kind and period the last one counts.
flow_values: Final = Table(
    "flow_values", metadata, _key(), _index(), _text("flow"), _text("subject"), _text("kind"), _int("period_start_ns"), _int("value"),
    _text("unit"), Index("flow_values_by_subject", "flow", "subject", "period_start_ns"),
)  # fmt: skip

statements: Final = Table(
    "statements", metadata, Column("day", Text, primary_key=True), _id("account"), _id("run"), _text("name"), _text("role"), _int("total_micro"),
    _int("consumption_wh"), _int("generation_wh"), _int("park_fee_held_micro"), _int("guarantee_held_micro"), _int("claim_micro"),
    _int("substituted_periods"), _int("nominated_periods"), _int("schedule_deviation_wh"), _int("sequence"),
)  # fmt: skip

statement_lines: Final = Table(
    "statement_lines", metadata, Column("day", Text, primary_key=True), _id("account"), _id("run"), _id("line"), _text("item"), _text("status"),
    _int("energy_wh"), _int("amount_micro"),
)  # fmt: skip
