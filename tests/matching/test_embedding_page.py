"""The example of docs/embedding.md, as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.embedding.compiler import compile_c
from matching.embedding import include_directory

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "embedding.md").read_text("utf-8")

pytestmark = pytest.mark.compiler


def test_the_example_prints_what_the_page_says(tmp_path: Path) -> None:
    for name in ("host.c", "host.py"):
        (code,) = re.findall(rf"<!-- embedding example: {re.escape(name)} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
        (tmp_path / name).write_text(code)
    compile_c(tmp_path / "host.c", tmp_path / "host.so", f"-I{include_directory()}", "-shared", "-fPIC")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "host.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (promised,) = re.findall(r"It prints `(.*?)`", PAGE)
    assert done.stdout.strip() == promised
