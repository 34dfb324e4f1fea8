"""The rules of docs/matching.md in plain Python, to compare the kernels with: the oracle.

Slow, obvious and complete. It shares only the vocabulary of `matching.records` with the kernels: a side is a sorted list of orders, and
every question is answered by looking through it. What an order would trade is found by letting it trade with copies.
"""

from matching.reference.books import ReferenceBooks
from matching.reference.values import QueuePosition, ReferenceEntry, ReferenceEvent, ReferenceOrder

__all__ = ["QueuePosition", "ReferenceBooks", "ReferenceEntry", "ReferenceEvent", "ReferenceOrder"]
