"""Who hears what of a round, and with which limit."""

import numpy as np
import pytest

from clients.laboratory.agents.interface import MEMORY, NO_QUOTE, TRAIT
from clients.laboratory.agents.kernels import begin_market, hear_shout, quote_price
from clients.laboratory.draws import Purpose, bits
from clients.laboratory.market.hearing import hear
from clients.laboratory.market.table import RULES, WORKING, MarketTable, new_views, records
from matching.records import Side
from tests.clients.laboratory.agents.states import agent, shouts_of, view_of

SELL = int(Side.SELL)
COST, SEED, NUMBER = 300, 9, 5


def table_of(wanted_lots: int, shout: tuple[int, int, int]) -> MarketTable:
    """One ZIP seller at one book of one shout; it has looked at the book before."""
    trait, memory = agent("zip")
    begin_market(trait[0], memory[0], SELL, COST, np.uint64(1))
    quote_price(trait[0], memory[0], view_of()[0], shouts_of(), 0, SELL, COST, np.uint64(1))
    traits, memories = records(1, TRAIT), records((2, 1), MEMORY)
    traits[:], memories[SELL, :] = trait, memory
    memories["is_begun"][SELL] = NUMBER
    rules = records(1, RULES)
    rules["seed"] = SEED
    integers = {name: np.zeros(shape, np.int64) for name, shape in
                {"accounts": 1, "clock": 1, "instruments": 1, "slots": 1, "quote_lots": 1, "net_limits": (1, 2), "reported": (1, 1),
                 "forced": (2, 1), "sequence": 1}.items()}  # fmt: skip
    return MarketTable(
        rules=rules, traits=traits, memory=memories, number=np.array([NUMBER]), views=new_views(1), history=shouts_of(shout)[np.newaxis].copy(),
        n_shouts=np.array([1]), working=records((2, 1), WORKING), limits=np.array([[0], [COST]]), wanted=np.zeros((2, 1), np.int64),
        lacking=np.array([[0], [wanted_lots]]), **integers,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wanted_lots", "shout", "moves"),
    [
        (7, (COST + 1, SELL, 0), True),  # another seller undercuts it: it concedes
        (0, (COST + 1, SELL, 0), False),
        (7, (900, SELL, 1), True),  # a trade above its price: it may ask for more, also when it has nothing left
        (0, (900, SELL, 1), True),
    ],
)
def test_who_wants_nothing_concedes_nothing(wanted_lots: int, shout: tuple[int, int, int], moves: bool) -> None:
    table = table_of(wanted_lots, shout)
    before = table.memory.copy()
    hear(table, 0, 0)
    assert (table.memory["x"] != before["x"]).any() == moves
    expected = before.copy().view(np.recarray)
    raw = bits(np.uint64(SEED), 0, Purpose.HEAR, NUMBER, SELL)
    limit = COST if wanted_lots else NO_QUOTE
    hear_shout(table.traits[0], expected[SELL, 0], table.history[0, 0], SELL, limit, raw)
    assert table.memory.tobytes() == expected.tobytes()
