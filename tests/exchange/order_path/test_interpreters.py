"""The same market compiled, compiled with bounds checking, and as plain Python comes to the same hashes."""

import os
import subprocess
import sys

import pytest

from tests.exchange.order_path.walk import walk

STEPS = 60


@pytest.mark.parametrize("setting", ["NUMBA_DISABLE_JIT", pytest.param("NUMBA_BOUNDSCHECK", marks=pytest.mark.soak)])
def test_same_hashes(setting: str) -> None:
    arguments = [sys.executable, "-W", "error", "-m", "tests.exchange.order_path.walk", str(STEPS)]
    done = subprocess.run(arguments, env=os.environ | {setting: "1"}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() == walk(STEPS)
