"""Break: what a Limited user exports has the devices of others in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import report_calls
from harness_guardian.fake.reports import file_name, report
from harness_guardian.fake.row_view import values
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness_guardian.fake.records import User
    from harness_guardian.fake.service import GuardianService

TITLE = "what a Limited user exports has the devices of others in it"
NOTICED_BY = ("tests/guardian/fake/test_role_table.py::test_limited_users_see_their_own",)
ABOUT = r"others|other"


@replaces(report_calls, "export_report")
def export_report(
    service: GuardianService, user: User, *, system: str | None, ids: Collection[str] | None
) -> tuple[bytes, str]:
    """Export all that the organisation has."""
    del ids
    organisation = service.organisation(user.organisation)
    rows = [row for row in organisation.requests() if system in {None, row.system_name}]
    lines = ((values(row, service.choices), row.error_code) for row in rows)
    moment = organisation.clock.seconds()
    return report(lines, service.choices), file_name(system, moment, service.choices)
