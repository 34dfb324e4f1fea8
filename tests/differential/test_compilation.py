"""A share of the differential commands as plain Python, and compiled with bounds checking: the same outcomes, no access outside an array.

What is planted at the end shows that such an access would have been noticed.
"""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("setting", "n_commands"), [("NUMBA_DISABLE_JIT", 100), ("NUMBA_BOUNDSCHECK", 300)])
def test_agrees_under(setting, n_commands, tmp_path):
    environment = os.environ | {setting: "1", "PARKEX_CACHE_DIR": str(tmp_path)}
    arguments = [sys.executable, "-W", "error", "-m", "tests.differential.checked_share", str(n_commands), "--plant"]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("noticed\n", "")
