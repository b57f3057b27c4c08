"""Break: a Reporter may approve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.enums import Role
from harness_guardian.fake import refusals
from harness_guardian.fake.service import GuardianService
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.records import User

TITLE = "a Reporter may approve"
EXPECTED = (
    "test_roles.py::test_others_change_nothing[approve-reporter]",
    "test_roles.py::test_others_change_nothing[reject-reporter]",
    "test_roles.py::test_others_change_nothing[bulk approve-reporter]",
)
ABOUT = r"403|before"


@replaces(GuardianService, "_admin")
def _admin(user: User, what: str) -> None:
    """Stop Limited users only."""
    if user.role is Role.LIMITED:
        raise refusals.role_too_low(f"only an Admin may {what}")
