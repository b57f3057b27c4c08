"""Break: two tags may have one name."""

from __future__ import annotations

from harness_nordic.fake.tags import TeamTags
from tests.breaks.support.patching import replaces

TITLE = "two tags may have one name"
EXPECTED = (
    "test_tags.py::test_name_of_a_tag_is_unique",
    "test_tags.py::test_rename_to_a_name_that_is_taken",
)
ABOUT = r"RequestRefused|refused"


@replaces(TeamTags, "_refuse_taken")
def _refuse_taken(self: TeamTags, name: str) -> None:
    """Look at no other tag."""
