"""Compiled answers against those of the codec, byte by byte."""

from types import SimpleNamespace

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from exchange.gateway.answers import Decimals, order_answer
from exchange.gateway.framing import server_frames
from exchange.gateway.usual.orders import UsualOrders
from exchange.gateway.usual.scanner import TICKET
from exchange.order_path.records import OUTCOME, OutcomeFlag
from exchange.protocol.codec import encode_result
from exchange.protocol.messages import OrderResult
from exchange.units import INT64_MAX

USUAL = UsualOrders(SimpleNamespace())  # type: ignore[arg-type] # nothing is submitted here

SMALL = st.integers(0, 20)
LARGE = st.integers(0, INT64_MAX)
LOTS = SMALL | st.integers(0, 2**53)
ROWS = st.tuples(
    LARGE, LARGE, LOTS, LOTS, SMALL | LARGE, st.integers(0, 2**31 - 1), st.integers(0, 2**32 - 1), st.sampled_from([0, 0, 0, 3015]),
    st.sampled_from([0, OutcomeFlag.RESTING, OutcomeFlag.RESTING | OutcomeFlag.WAITING, OutcomeFlag.DUPLICATE]), LOTS,
    st.sampled_from([0, 1, 10, 100_000, 2**40]), st.integers(0, 9), st.integers(0, 9), LARGE,
)  # fmt: skip
Row = tuple[int, ...]


def ordinary(outcome: np.void, row: Row) -> bytes | None:
    """The answer by the codec, None for a refusal."""
    quantity, multiplier, price_decimals, quantity_decimals, request_id = row[9:]
    spec = Decimals(price_decimals, quantity_decimals, multiplier) if multiplier else None
    answer = order_answer(outcome, spec, quantity)
    return encode_result(request_id, answer) if isinstance(answer, OrderResult) else None


def arrays(rows: list[Row]) -> tuple[np.ndarray, np.ndarray]:
    outcomes, tickets = np.zeros(len(rows), OUTCOME), np.zeros(len(rows), TICKET)
    for index, row in enumerate(rows):
        sequence, order_id, filled, remaining, notional, cancelled, revision, code, flags, quantity, multiplier, price, lots, request_id = row
        outcomes[index] = (sequence, 0, order_id, filled, remaining, notional, cancelled, revision, code, flags, 0)
        quantity_decimals = lots if multiplier else 0
        tickets[index] = (request_id, quantity, multiplier, price, quantity_decimals, 16)
    return outcomes, tickets


@given(st.lists(ROWS, min_size=1, max_size=12))
@example([(1, 2, 3, 0, 12_500, 0, 1, 0, 0, 3, 1000, 4, 1, 7), (1, 2, 3, 0, 37_500, 0, 1, 0, 0, 3, 1000, 4, 1, 8)])  # halves go to even
@example([(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)])  # the shortest
def test_bytes_are_those_of_the_codec(rows: list[Row]) -> None:
    outcomes, tickets = arrays(rows)
    framed, ends, n_left = USUAL.write(outcomes, tickets)
    starts = [0, *ends]
    found = [framed[start:end] for start, end in zip(starts, ends, strict=False)]
    expected = [ordinary(outcome, row) for outcome, row in zip(outcomes, rows, strict=True)]
    assert n_left == found.count(b"")
    for written, answer in zip(found, expected, strict=True):
        if answer is None:
            assert written == b""
        elif written:
            assert written == server_frames([answer])


@given(st.lists(ROWS, min_size=1, max_size=4))
def test_only_refusals_and_what_needs_more_than_64_bits_are_left(rows: list[Row]) -> None:
    outcomes, tickets = arrays(rows)
    _, ends, _ = USUAL.write(outcomes, tickets)
    lengths = np.diff([0, *ends])
    for length, row in zip(lengths.tolist(), rows, strict=True):
        filled, notional, code, multiplier = row[2], row[4], row[7], row[10]
        if not code and notional < 9 * 10**16 and filled * multiplier < 4 * 10**18:
            assert length > 0


def test_memory_grows_with_the_batch() -> None:
    row = (1, 2, 3, 0, 12_500, 0, 1, 0, 0, 3, 1000, 4, 1, 7)
    outcomes, tickets = arrays([row] * 2_000)
    framed, ends, n_left = USUAL.write(outcomes, tickets)
    assert (len(ends), n_left) == (2_000, 0)
    assert framed == framed[: ends[0]] * 2_000
