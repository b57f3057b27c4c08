"""Break: of two rows that ran together the first one is claimed, and nobody hears of the second."""

from __future__ import annotations

import re

from harness_nordic.fake import bulk_claims
from harness_nordic.fake.bulk_claims import Row
from tests.breaks.support.patching import existing, replaces

TITLE = "of two rows that ran together the first one is claimed in silence"
EXPECTED = ("test_bulk_claiming.py::test_rows_run_together*",)
ABOUT = r"unpack|failed|claimedIds|is_claimed_by"

TOKEN = re.compile(r"([\w-]{76}\.[\w-]{103})")
before = existing(bulk_claims, "_read_row")


@replaces(bulk_claims, "_read_row")
def _read_row(number: int, line: str) -> Row:
    """Take what looks like a token, and nothing behind it."""
    row: Row = before(number, line)
    found = TOKEN.match(line)
    return Row(number=number, token=found[1]) if row.problem and found else row
