"""Crash harness: a real exchange process is killed with orders in flight, again and again, and compared with what its clients were told."""
