"""The way in and out: WebSocket and REST.

An order passes step 1 in exchange.protocol.codec, step 2 in validate.py and step 3 in throttle.py; connection.py calls them in this order
and hands the records to the node. What the node has committed leaves through publisher.py (step 8).
"""
