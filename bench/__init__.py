"""Benchmarks: each prints its workload beside its figures and appends one JSON line to bench/results."""
