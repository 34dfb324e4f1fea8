"""The market behind the benchmark: members with keys that both processes derive, and power contracts that are open now."""

from typing import Final

import msgspec

from bench.park import CASH_MICRO, NET_LOTS_MAX, contract
from clients.sdk.credentials import Credentials, as_private_key, public_key_of
from exchange.gateway.hub import as_records
from exchange.gateway.limits import Limits, Rate
from exchange.gateway.validate import pack_command
from exchange.journal.interface import Genesis
from exchange.journal.record import CommandKind
from exchange.node import Node
from exchange.order_path.settings import ExchangeSettings, encode_settings
from exchange.protocol.documents import Admit, Deposit, Document, InstrumentSpec, Key, ListInstruments, encode_document
from exchange.protocol.messages import Challenge
from exchange.units import NS_PER_DAY, NS_PER_HOUR, PERIOD_NS

BOOKS: Final = 8
OPERATOR: Final = 32  # the first account behind those of the house
# Nothing of the benchmark is to be turned away: it measures what an order costs, not what a limit refuses.
UNLIMITED: Final = Rate(1e9, 1e9)


def credentials(index: int) -> Credentials:
    """Of member `index`."""
    return Credentials(f"member-{index}", as_private_key((index + 1).to_bytes(32)))


def instrument_of(connection: int) -> str:
    """Connections trade in pairs, a buyer and a seller in one book."""
    return f"GP-BENCH-{connection // 2 % BOOKS}"


def limits(flush_interval_s: float, connections: int) -> Limits:
    """Defaults, without the token buckets."""
    return Limits(
        connection=UNLIMITED, key=UNLIMITED, account=UNLIMITED, flush_interval_s=flush_interval_s, max_connections=connections + 16,
        max_connections_per_address=connections + 16,
        logon_window_ns=NS_PER_HOUR,
    )  # fmt: skip


def genesis() -> Genesis:
    settings = encode_settings(ExchangeSettings())
    return Genesis(park_id="bench", hash_key=bytes(range(32)), engine_version="bench", operator_keys=(bytes(32),), document=settings)


def open_contract(index: int, now_ns: int) -> InstrumentSpec:
    """Contract number `index`, open since an hour ago, with its gate in a day."""
    delivery_ns = (now_ns + NS_PER_DAY) // PERIOD_NS * PERIOD_NS
    return msgspec.structs.replace(
        contract(index), delivery_start_ns=delivery_ns, delivery_end_ns=delivery_ns + PERIOD_NS, open_ns=now_ns - NS_PER_HOUR,
        close_ns=delivery_ns - 1,
    )  # fmt: skip


async def prepare(node: Node, members: int) -> None:
    """Admit and fund the members, list the contracts."""

    async def send(document: Document) -> dict[str, int]:
        answer = await node.submit(as_records([pack_command(CommandKind.DOCUMENT, OPERATOR, 0)]), encode_document(document))
        if answer.outcome["code"]:
            raise RuntimeError(f"{document.SCHEMA} was refused: {answer.result}")
        return answer.result or {}

    for index in range(members):
        key = Key(key_id=f"member-{index}", public_key=public_key_of(credentials(index).private_key), scopes=["read", "trade"])
        admitted = await send(
            Admit(
                name=f"member-{index}", role="prosumer", permissions=["power_buy", "power_sell"], min_net_power_lots=-NET_LOTS_MAX,
                max_net_power_lots=NET_LOTS_MAX, keys=[key],
            )
        )  # fmt: skip
        await send(Deposit(account=admitted["account"], amount_micro=CASH_MICRO, reference="bench"))
    now_ns = node.clock.now_ns()
    await send(ListInstruments(instruments=[open_contract(index, now_ns) for index in range(BOOKS)]))


def logon_request(index: int, challenge: Challenge) -> bytes:
    """The logon frame's payload of member `index`."""
    params, _ = credentials(index).sign(challenge, challenge.host)
    return msgspec.json.encode({"id": 1, "method": "logon", "params": params, "jsonrpc": "2.0"})


