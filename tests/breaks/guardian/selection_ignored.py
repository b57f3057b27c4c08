"""Break: the report of selected devices has all devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import report_calls
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness_guardian.fake.records import User
    from harness_guardian.fake.service import GuardianService

TITLE = "the report of selected devices has all devices"
EXPECTED = ("test_reports.py::test_selected_devices",)
ABOUT = r"report"


_export = report_calls.export_report


@replaces(report_calls, "export_report")
def export_report(
    service: GuardianService, user: User, *, system: str | None, ids: Collection[str] | None
) -> tuple[bytes, str]:
    """Select nothing."""
    del ids
    return _export(service, user, system=system, ids=None)
