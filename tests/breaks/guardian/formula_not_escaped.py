"""Break: a spreadsheet takes a cell of the report for a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import reports
from harness_guardian.fake.dates import iso_utc
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.reports import Value

TITLE = "a spreadsheet takes a cell of the report for a formula"
NOTICED_BY = (
    "tests/guardian/fake/test_reports.py::test_one_cell*HYPERLINK*",
    "tests/guardian/fake/test_reports.py::test_no_cell_is_a_formula",
    "tests/guardian/fake/test_reports_api.py::test_bytes",
)
ABOUT = r"HYPERLINK|startswith|1\+1"


@replaces(reports, "cell")
def cell(value: Value) -> str:
    """Write what is there."""
    return "" if value is None else value if isinstance(value, str) else iso_utc(value)
