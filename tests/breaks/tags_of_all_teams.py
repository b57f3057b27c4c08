"""Break: all teams have the same tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from harness_nordic.fake.tags import TeamTags
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import Member

TITLE = "all teams have the same tags"
EXPECTED = ("test_tags.py::test_tags_of_another_team",)
ABOUT = r"other|RequestRefused|not in"

everybodys = TeamTags()


@replaces(ProvisioningService, "tags_of")
def tags_of(self: ProvisioningService, member: Member) -> TeamTags:
    """Give everybody the same."""
    return everybodys
