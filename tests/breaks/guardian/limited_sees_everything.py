"""Break: a Limited user sees the devices of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.service import GuardianService
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.records import ProvisioningRequest, User

TITLE = "a Limited user sees the devices of others"
EXPECTED = (
    "test_roles.py::test_limited_users_see_their_own",
    "test_roles.py::test_limited_users_read_nothing_of_others",
    "test_roles.py::test_who_downloads[other_limited-404]",
)
ABOUT = r"seen|404"


@replaces(GuardianService, "may_see")
def may_see(self: GuardianService, viewer: User, request: ProvisioningRequest) -> bool:
    """Ask for the organisation alone."""
    del self
    return viewer.organisation == request.organisation


@replaces(GuardianService, "visible")
def visible(self: GuardianService, user: User, system: str | None = None) -> list[ProvisioningRequest]:
    """Show what an Admin would see."""
    organisation = self.organisation(user.organisation)
    return [row for row in organisation.requests() if system is None or row.system_name == system]
