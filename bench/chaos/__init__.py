"""Deterministic simulation of clients, gateway, core and journal in one process, under faults.

    virtual_time.py   the event loop whose time jumps, and processes that can be killed between any two callbacks
    network.py        connections that delay, hold back, regroup and cut
    disk.py           short writes, errors, kills in the middle of a write, power loss
    clocks.py         a wall clock that drifts and is stepped
    server.py         the exchange as one process: journal, recovery, node, gateway
    traders.py        clients on the real SDK, and what they were told
    market.py         the park that they trade in
    auditor.py        compares what was told with the journal, and with a model of its own
    world.py          one simulated stretch of hours, from a seed

Everything that decides comes from the seed, so a failure repeats: `python -m bench.chaos --seed S`.
"""
