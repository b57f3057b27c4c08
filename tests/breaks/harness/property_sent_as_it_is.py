"""Break: a worker ends by an internal error when a test records a value that cannot be sent."""

from __future__ import annotations

from typing import Any

from harness.pytest_plugin import report_redaction
from tests.breaks.support.patching import replaces

TITLE = "a worker ends when a test records a value that it cannot send"
NOTICED_BY = ("tests/pytest_plugin/test_internal_errors.py::test_a_property_that_cannot_be_sent",)
ABOUT = r"result\.code == 0"


@replaces(report_redaction, "sendable")
def sendable(value: Any) -> Any:
    """Send it as it is."""
    return value
