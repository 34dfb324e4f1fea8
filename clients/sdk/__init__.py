"""The client library: an asyncio client of the exchange that keeps its own orders and books.

    from clients.sdk import connect

    async with connect("ws://127.0.0.1:8765", key_id="plant-7", private_key=key) as park:
        order = await park.place("GP-20260715-1015", "buy", price="0.4100", quantity="12.5")
"""

from clients.sdk.books import Book, Depth, PriceLevel
from clients.sdk.client import ParkClient, connect
from clients.sdk.credentials import public_key_of
from clients.sdk.errors import ClientError, ConnectionLost, LogonRefused, NotSent, OrderRejected, OutcomeUnknown, RequestRefused
from clients.sdk.notices import ConnectionChange, Missed
from clients.sdk.orders import Fill, Order
from clients.sdk.results import BidOutcome, ProposalOutcome, Statement, StatementLine, StatementSource
from clients.sdk.transport import Connector, loopback_connector, websocket_connector
from clients.sdk.turns import MarketTurn

__all__ = [
    "BidOutcome",
    "Book",
    "ClientError",
    "ConnectionChange",
    "ConnectionLost",
    "Connector",
    "Depth",
    "Fill",
    "LogonRefused",
    "MarketTurn",
    "Missed",
    "NotSent",
    "Order",
    "OrderRejected",
    "OutcomeUnknown",
    "ParkClient",
    "PriceLevel",
    "ProposalOutcome",
    "RequestRefused",
    "Statement",
    "StatementLine",
    "StatementSource",
    "connect",
    "loopback_connector",
    "public_key_of",
    "websocket_connector",
]
