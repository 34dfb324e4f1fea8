"""The laboratory's tests also run as plain Python."""

from collections.abc import Iterator

import numpy as np
import pytest


@pytest.fixture(scope="session", autouse=True)
def wrapping_integers() -> Iterator[None]:
    """Without the JIT numpy reports the wrap-around that the hash of further draws means."""
    with np.errstate(over="ignore"):
        yield
