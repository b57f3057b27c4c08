"""Break: the last row of a page is missing."""

from __future__ import annotations

from typing import Any

from harness_pelion.fake import certificate_calls
from tests.breaks.support.patching import existing, replaces

TITLE = "each full page drops its last row"
EXPECTED = (
    "test_api.py::test_pages[2]",
    "test_api.py::test_pages[3]",
)
ABOUT = r"made"

before = existing(certificate_calls, "page")


@replaces(certificate_calls, "page")
def page(rows: Any, asked: Any, choices: Any, view: Any, matches: Any = lambda _row: True) -> dict[str, Any]:
    """Skip the first row of each further page."""
    shown: dict[str, Any] = before(rows, asked, choices, view, matches)
    if asked.after is not None:
        shown["data"] = shown["data"][1:]
    return shown
