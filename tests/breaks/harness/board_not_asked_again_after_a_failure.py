"""Break: a board that answered once is never asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pytest_plugin.health import BoardHealth
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Generator

    import pytest

TITLE = "a board that answered once is never asked again, whatever fails on it"
NOTICED_BY = ("tests/pytest_plugin/test_health.py::test_after_a_failure_it_is_asked_again*",)
ABOUT = r"ward.fitness\(\) is not None"


@replaces(BoardHealth, "pytest_runtest_makereport")
def pytest_runtest_makereport(
    self: BoardHealth, item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Doubt nobody."""
    return (yield)
