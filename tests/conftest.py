"""What every test shares: hypothesis profiles, and an honest word when there is no browser, Node, C compiler or PostgreSQL."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from bench.embedding.compiler import find_compiler
from tests.postgres import find_postgres

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# Deterministic in the bounded run, so that a failure repeats; the soak draws new cases. Machines under load have no fair deadline.
settings.register_profile("bounded", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", deadline=None, max_examples=2_000, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "bounded"))


# A suite that a script started in the background inherits an ignored Ctrl-C, and so would the programs that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def find_browser() -> str | None:
    """Path of a Chromium-like browser, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def find_node() -> str | None:
    """Path of a Node that has WebSocket and WebCrypto, or None."""
    node = shutil.which("node")
    if node is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    numbers = [int(part) for part in version.strip().removeprefix("v").split(".")[:2] if part.isdigit()]
    return node if numbers >= [20, 10] else None


def missing_tools() -> dict[str, str]:
    """Markers of tests whose tool is not there, and what to say about it."""
    missing = {}
    if find_browser() is None:
        missing["browser"] = "no Chromium found: tests of the page are deselected (Debian: apt-get install chromium)"
    if find_compiler() is None:
        missing["compiler"] = "no C compiler found: tests of the C interface are deselected (Debian: apt-get install gcc libc6-dev)"
    if shutil.which("systemd-analyze") is None:
        missing["systemd"] = "no systemd-analyze found: the test that it reads the unit is deselected (Debian: apt-get install systemd)"
    if find_postgres() is None:
        missing["postgres"] = "no PostgreSQL found: tests of the read model on it are deselected (Debian: apt-get install postgresql)"
    if find_node() is None:
        missing["node"] = "no Node 20.10 or newer found: tests of the JavaScript client are deselected (Debian: apt-get install nodejs)"
    return missing


def pytest_report_header() -> list[str]:
    return list(missing_tools().values())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests without their tool are deselected, which pytest counts in its last line; in CI they run and fail."""
    if os.environ.get("CI") == "true":
        return
    missing = missing_tools()
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in missing)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def forget_endpoints() -> Iterator[None]:
    """FastAPI keeps every endpoint that it has looked at in a cache for the life of the process, and with it the exchange behind the endpoint."""
    yield
    for name in ("fastapi.dependencies.models", "fastapi.dependencies.utils"):
        module = sys.modules.get(name)
        for cached in [] if module is None else list(vars(module).values()):
            if hasattr(cached, "cache_clear"):
                cached.cache_clear()
