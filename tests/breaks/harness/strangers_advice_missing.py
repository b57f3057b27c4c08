"""Break: a stranger does not say what would make it known."""

from __future__ import annotations

from typing import Any

from harness.inventory import strangers
from tests.breaks.support.patching import replaces

TITLE = "a stranger does not say what would make it known"
NOTICED_BY = ("tests/inventory/test_attached.py::test_strangers_say_why_they_fit_nothing[port1*",)
ABOUT = r"found.strangers"


@replaces(strangers, "_advice")
def advice(port: Any) -> str:
    """Know none."""
    return "nobody knows what it is"
