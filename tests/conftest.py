"""What all tests share: depth of random testing, the slow tests, where recorded data lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import canary
from tests.recorded import RECORDED

ROOT = Path(__file__).resolve().parent.parent
PROFILE = os.environ.get("PYRT_HYPOTHESIS", "default")

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=1_000)
settings.load_profile(PROFILE)


canary.set_environment()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """Look for the secret that must not show."""
    report = yield
    canary.judge(item, report)
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what takes minutes unless the nightly profile asks for it."""
    if PROFILE == "nightly":
        return
    slow = pytest.mark.skip(reason="nightly only: set PYRT_HYPOTHESIS=nightly")
    for item in items:
        if item.get_closest_marker("nightly"):
            item.add_marker(slow)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of the recorded market data, or skip the test where there is none."""
    if not RECORDED.is_dir():
        pytest.skip(f"recorded market data are not at {RECORDED}: set PYRT_SHARED_DATA")
    return RECORDED
