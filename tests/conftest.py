"""What every test shares: hypothesis profiles, and an honest word when there is no browser."""

import os
import shutil
import signal

import pytest
from hypothesis import HealthCheck, settings

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


def pytest_report_header() -> str | None:
    if find_browser() is None:
        return "no Chromium found: tests of the page are deselected (Debian: apt-get install chromium)"
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a browser the tests of the page are deselected, which pytest counts in its last line; in CI they run and fail."""
    if find_browser() is not None or os.environ.get("CI") == "true":
        return
    left_out = [item for item in items if item.get_closest_marker("browser")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item.get_closest_marker("browser") is None]
