"""What an SDK user's process loads."""

import subprocess
import sys

FORBIDDEN = (
    "numba", "llvmlite", "matching", "scipy", "fastapi", "uvicorn", "sqlalchemy", "exchange.gateway", "exchange.order_path", "exchange.journal",
)  # fmt: skip


def test_the_sdk_needs_no_compiler_and_no_server() -> None:
    code = "import sys, clients.sdk, clients.sdk.sync; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())
    assert loaded & set(FORBIDDEN) == set()
    assert "websockets" in loaded
