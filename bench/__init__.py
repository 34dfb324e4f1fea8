"""Benchmarks. Each prints the state hash of what it ran and appends one JSON line to bench/results; see the modules."""
