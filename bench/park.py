"""An exchange on which the orders of a standard stream can be placed, and its commands as the gateway would journal them.

200 accounts, half of them buyers and half sellers: the order path has no way to let an owner trade with himself (SelfTrade knows four kinds
of prevention and no absence of it), so an order's account is one of a hundred on its own side, by its id. Every account has cash and limits
for everything it may do; nothing is rejected. Each symbol is one contract of green power with fees on both sides.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bench.workloads import lobstrm
from bench.workloads.lobstrm import Stream
from exchange.journal.interface import Genesis
from exchange.journal.record import COMMAND, CommandFlag, CommandKind
from exchange.order_path.path import Exchange
from exchange.order_path.settings import ExchangeSettings, encode_settings
from exchange.order_path.state import Sizes as PathSizes
from exchange.protocol.documents import Admit, Deposit, Document, InstrumentSpec, ListInstruments, encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_DAY, NS_PER_HOUR, PERIOD_NS, POWER_MULTIPLIER_MICRO
from matching.core import MatchingCore
from matching.records import TimeInForce
from matching.state import Sizes as CoreSizes

ACCOUNTS: Final = 200
CASH_MICRO: Final = 2**49
NET_LOTS_MAX: Final = 2**40
START_NS: Final = 1_784_044_800_000_000_000
STAMP_STEP_NS: Final = 10_000  # a hundred thousand commands a second of exchange time
DAY_NS: Final = START_NS + NS_PER_DAY
KIND_OF_TYPE: Final = np.array([0, CommandKind.PLACE, CommandKind.CANCEL, CommandKind.AMEND, CommandKind.PLACE], np.uint8)
DIGITS: Final = 12  # of a client order id
LISTED_AT_ONCE: Final = 500  # instruments a document


def genesis() -> Genesis:
    """Of every exchange here: keys are kept for the exchange's usual retention of 48 hours, so for the whole run."""
    settings = encode_settings(ExchangeSettings())
    return Genesis(park_id="bench", hash_key=bytes(range(32)), engine_version="bench", operator_keys=(bytes(32),), document=settings)


def sizes_of(n_commands: int, n_books: int, n_resting: int) -> tuple[PathSizes, CoreSizes]:
    """Room for so many commands, so that nothing grows while they are timed."""
    path = PathSizes(accounts=512, instruments=n_books + 1, keys=1 << (n_commands + 2 * ACCOUNTS).bit_length(), deadlines=4 * n_books + 1024)
    core = CoreSizes(
        books=n_books, orders=4 * n_resting + 100_000, pages=8 * n_books + 64, nodes=4 * n_books + 64, id_pages=n_resting // 64 + 512,
        owners=512, chunks=n_resting + 16_384,
    )  # fmt: skip
    return path, core


def empty_exchange(stream: Stream) -> Exchange:
    """An exchange with room for the stream."""
    path, core = sizes_of(len(stream.messages), stream.n_books, stream.n_warm)
    return Exchange(genesis(), path, MatchingCore(core))


def contract(index: int) -> InstrumentSpec:
    """Contract number `index`, open from the start, with its gate a day later."""
    return InstrumentSpec(
        symbol=f"GP-BENCH-{index}", instrument_class="power", venue="park", calendar="continuous", price_decimals=4, quantity_decimals=1,
        multiplier_micro=POWER_MULTIPLIER_MICRO, unit="kWh", min_price_ticks=0, max_price_ticks=30_000, band_low_ticks=0, band_high_ticks=30_000,
        max_order_lots=1_000_000, maker_fee_lot_micro=20, taker_fee_lot_micro=50, park_fee_lot_micro=4_000, deficit_price_ticks=12_000,
        surplus_price_ticks=2_800, delivery_start_ns=DAY_NS, delivery_end_ns=DAY_NS + PERIOD_NS, open_ns=START_NS - NS_PER_HOUR, close_ns=DAY_NS - 1,
    )  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """A stream as commands, and the groups (records, documents) that make the accounts and contracts they name."""

    stream: Stream
    setup: list[tuple[np.ndarray, bytes]]
    commands: np.ndarray  # COMMAND, one a message

    def exchange(self) -> Exchange:
        """A new exchange with accounts and contracts, and room for the whole stream."""
        exchange = empty_exchange(self.stream)
        for records, documents in self.setup:
            exchange.apply(records, documents, exchange.last_sequence + 1)
        return exchange


def prepare(stream: Stream) -> Prepared:
    """Admit the accounts, fund them and list the contracts, then write the commands for them."""
    exchange = empty_exchange(stream)
    operator = exchange.rooms.participants.next_id - 1
    setup: list[tuple[np.ndarray, bytes]] = []

    def send(document: Document) -> dict[str, Any]:
        data = encode_document(document)
        record = np.zeros(1, COMMAND)
        record["kind"], record["version"], record["account"] = CommandKind.DOCUMENT, 1, operator
        record["stamp_ns"], record["document_length"] = START_NS, len(data)
        batch = exchange.apply(record, data, exchange.last_sequence + 1)
        if batch.outcomes[0]["code"] != RejectCode.ACCEPTED:
            raise RuntimeError(f"{document.SCHEMA} was refused: {batch.results[0]}")
        setup.append((record, data))
        return batch.results[0]

    accounts = [send(admission(index))["account"] for index in range(ACCOUNTS)]
    for account in accounts:
        send(Deposit(account=account, amount_micro=CASH_MICRO, reference="bench"))
    instruments: list[int] = []
    for first in range(0, stream.n_books, LISTED_AT_ONCE):
        specs = [contract(index) for index in range(first, min(first + LISTED_AT_ONCE, stream.n_books))]
        instruments += send(ListInstruments(instruments=specs))["instruments"].values()
    return Prepared(stream, setup, commands_of(stream, np.array(accounts), np.array(instruments)))


def admission(index: int) -> Admit:
    """A prosumer that may buy and sell power without a limit that the stream could reach."""
    return Admit(
        name=f"member-{index}", role="prosumer", permissions=["power_buy", "power_sell"], min_net_power_lots=-NET_LOTS_MAX,
        max_net_power_lots=NET_LOTS_MAX,
    )  # fmt: skip


def commands_of(stream: Stream, accounts: np.ndarray, instruments: np.ndarray) -> np.ndarray:
    """The messages of a stream as COMMAND records, one each, with client order ids and stamps of their own."""
    messages = stream.messages
    n = len(messages)
    records = np.zeros(n, COMMAND)
    kind = KIND_OF_TYPE[messages["type"]]
    new = kind == CommandKind.PLACE
    amended = kind == CommandKind.AMEND
    records["kind"] = kind
    records["version"] = 1
    records["account"] = accounts[messages["id"] % (ACCOUNTS // 2) * 2 + messages["side"]]
    records["instrument"] = instruments[messages["symbol"]]
    records["stamp_ns"] = START_NS + STAMP_STEP_NS * np.arange(1, n + 1)
    records["side"] = np.where(new, messages["side"], 0)
    records["order_id"] = np.where(new, 0, messages["id"])
    records["price_ticks"] = np.where(new | amended, messages["price"], 0)
    records["quantity_lots"] = np.where(new | amended, messages["qty"], 0)
    records["flags"] = np.where(amended, CommandFlag.AMEND_PRICE | CommandFlag.AMEND_QUANTITY, 0)
    records["revision"][amended] = revisions(messages["id"][amended])
    records["time_in_force"] = np.where(messages["type"] == lobstrm.IOC, TimeInForce.IOC, TimeInForce.GTC)
    records["client_order_id"] = client_order_ids(n)
    return records


def revisions(order_ids: np.ndarray) -> np.ndarray:
    """The revision that each amend expects: one more than the amends of the same order before it, and the first is 1."""
    order = np.argsort(order_ids, kind="stable")
    ranked = order_ids[order]
    first = np.searchsorted(ranked, ranked)
    result = np.empty(len(order_ids), np.uint32)
    result[order] = np.arange(len(order_ids)) - first + 1
    return result


def client_order_ids(n: int) -> np.ndarray:
    """`n` different ids of twelve digits, S36."""
    digits = np.arange(n)[:, None] // 10 ** np.arange(DIGITS - 1, -1, -1) % 10
    return (digits + ord("0")).astype(np.uint8).view(f"S{DIGITS}").reshape(n)
