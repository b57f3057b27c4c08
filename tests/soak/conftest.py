"""How long the soak is: ``HARNESS_SOAK_SCALE`` scales the number of examples (``make soak`` sets 1)."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

SCALE = float(os.environ.get("HARNESS_SOAK_SCALE", "0.001"))
EXAMPLES = 20_000
PROFILE = "soak"

settings.register_profile(
    PROFILE,
    max_examples=max(20, int(EXAMPLES * SCALE)),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give each test of this directory the profile; tests elsewhere keep theirs."""
    test = getattr(item, "obj", None)
    if test is not None and getattr(test, "is_hypothesis_test", False):
        settings(settings.get_profile(PROFILE))(test)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A directory for files that each example overwrites."""
    return str(tmp_path_factory.mktemp("soak"))
