"""Break: each key of a team has tags of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from harness_nordic.fake.tags import TeamTags
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import Member

TITLE = "each key of a team has tags of its own"
EXPECTED = ("test_roles.py::test_members_change*update tag*",)
ABOUT = r"status|answer"


@replaces(ProvisioningService, "tags_of")
def tags_of(self: ProvisioningService, member: Member) -> TeamTags:
    """Look for the tags of a key."""
    return self._tags.setdefault(member.api_key, TeamTags())
