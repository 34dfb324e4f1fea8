"""Compliance: works off a programme in certificates, allowances or credits in equal slices, giving way from a first price to its limit.

Paper: D. Bertsimas and A. W. Lo, "Optimal control of execution costs", Journal of Financial Markets 1 (1998): without information on prices to come
equal slices are the cheapest. The straight line from the first price to the limit is a design. Integers only: a programme is not a market of power,
and is asked once a step, not once a shout.
"""

from clients.scenarios.model import UnitProgramme


def slice_lots(programme: UnitProgramme, done_lots: int, step: int, n_steps: int) -> int:
    """Lots to order at `step` (0 to n_steps - 1), not negative: what an even pace would have done by its end less `done_lots` (bought or sold)."""
    wanted = abs(programme.quantity_lots)
    return max(wanted * (min(step, n_steps - 1) + 1) // n_steps - done_lots, 0)


def slice_price_ticks(programme: UnitProgramme, step: int, n_steps: int) -> int:
    """Price of that order: the first price at step 0, the limit at the last, rounded towards the first price."""
    way = programme.limit_price_ticks - programme.start_price_ticks
    gone = abs(way) * min(step, n_steps - 1) // max(n_steps - 1, 1)
    return programme.start_price_ticks + (gone if way >= 0 else -gone)
