"""Break: filters of the list are ignored."""

from __future__ import annotations

from harness_nordic.fake import management
from tests.breaks.support.patching import sets

TITLE = "filters of the list are ignored"
EXPECTED = ("test_claiming.py::test_list_with_a_filter",)
ABOUT = r"ids"

sets(management, "_FILTERS", ())
