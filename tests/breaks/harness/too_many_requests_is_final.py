"""Break: a service that asks for patience gets none."""

from __future__ import annotations

from harness.backends import http
from tests.breaks.support.patching import sets

TITLE = "a service that asks for patience gets none"
NOTICED_BY = ("tests/backends/test_pacing.py::test_refused_for_now",)
ABOUT = r"201"

sets(http, "_TOO_MANY", 0)
