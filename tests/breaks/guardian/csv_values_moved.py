"""Break: who approved and who provisioned a device have changed places in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.enums import Column
from harness_guardian.fake import reports
from tests.breaks.support.patching import existing, sets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.reports import Value

TITLE = "who approved and who provisioned a device have changed places in the report"
NOTICED_BY = ("tests/guardian/fake/test_reports.py::test_a_provisioned_device",)
ABOUT = r"anna"

_report = existing(reports, "report")
_OTHER = {Column.APPROVED_BY: Column.PROVISIONED_BY, Column.PROVISIONED_BY: Column.APPROVED_BY}


def report(rows: Iterable[tuple[Mapping[Column, Value], str | None]], choices: Choices) -> bytes:
    """Look in the other column."""
    moved = [({one: values[_OTHER.get(one, one)] for one in values}, code) for values, code in rows]
    written: bytes = _report(moved, choices)
    return written


sets(reports, "report", report)
