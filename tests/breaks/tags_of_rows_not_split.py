"""Break: the tags of a CSV row are one tag with commas in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_nordic.fake import bulk_claims
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.bulk_claims import Row

TITLE = "the tags of a CSV row are one tag with commas in it"
EXPECTED = ("test_bulk_claiming.py::test_rows_have_tags_of_their_own",)
ABOUT = r"tags"

before = existing(bulk_claims, "_read_row")


@replaces(bulk_claims, "_read_row")
def _read_row(number: int, line: str) -> Row:
    """Join what was separated."""
    row: Row = before(number, line)
    return replace(row, tags=(",".join(row.tags),)) if row.tags else row
