"""The client library: an asyncio client of the exchange that keeps its own orders and books.

    from clients.sdk import connect

    async with connect("ws://127.0.0.1:8765", key_id="plant-7", private_key=key) as park:
        order = await park.place("GP-20260715-1015", "buy", price="0.4100", quantity="12.5")
"""

from clients.sdk.books import Book, PriceLevel
from clients.sdk.client import ParkClient, connect
from clients.sdk.credentials import public_key_of
from clients.sdk.errors import ClientError, ConnectionLost, LogonRefused, OrderRejected, RequestRefused
from clients.sdk.orders import Fill, Order
from clients.sdk.transport import Connector, loopback_connector, websocket_connector
from clients.sdk.turns import MarketTurn

__all__ = [
    "Book",
    "ClientError",
    "ConnectionLost",
    "Connector",
    "Fill",
    "LogonRefused",
    "MarketTurn",
    "Order",
    "OrderRejected",
    "ParkClient",
    "PriceLevel",
    "RequestRefused",
    "connect",
    "loopback_connector",
    "public_key_of",
    "websocket_connector",
]
