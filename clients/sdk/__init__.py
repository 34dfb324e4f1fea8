"""The client library: an asyncio client of the exchange that keeps its own orders and books."""
