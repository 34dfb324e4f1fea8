"""Draws and populations come to the same as plain Python and compiled."""

import os
import subprocess
import sys

from tests.clients.laboratory.plain import lines


def test_the_same_draws_and_deals_without_the_jit() -> None:
    arguments = [sys.executable, "-W", "error", "-m", "tests.clients.laboratory.plain"]
    done = subprocess.run(arguments, env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() == lines()
