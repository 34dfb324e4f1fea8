"""The matching core driven from C: an example and its benchmark, `python -m bench.embedding`."""
