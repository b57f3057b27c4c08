"""Break: a JUnit report may declare a document type."""

from __future__ import annotations

from harness.merging import junit
from tests.breaks.support.patching import replaces

TITLE = "a JUnit report may declare a document type"
NOTICED_BY = (
    "tests/merging/test_junit.py::test_what_is_no_report_is_refused_by_name[*declares a document type*]",
)
ABOUT = r"raises|complaint in"


@replaces(junit._Careful, "doctype")
def doctype(self: junit._Careful, name: str, _pubid: str | None, _system: str | None) -> None:
    """Refuse nothing."""
