"""Break: a bulk claim may have any number of rows."""

from __future__ import annotations

from harness_nordic.fake import bulk_claims
from tests.breaks.support.patching import sets

TITLE = "a bulk claim may have any number of rows"
EXPECTED = ("test_bulk_claiming.py::test_too_many_rows",)
ABOUT = r"DID NOT RAISE|refused|RequestRefused"

sets(bulk_claims, "MOST_ROWS", 1_000_000)
