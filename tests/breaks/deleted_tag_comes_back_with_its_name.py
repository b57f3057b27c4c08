"""Break: a tag that is defined anew is on the devices that its namesake was on."""

from __future__ import annotations

import uuid

from harness_nordic.fake.tags import Tag, TeamTags
from tests.breaks.support.patching import existing, replaces

TITLE = "a tag that is defined anew is on the devices that its namesake was on"
EXPECTED = ("test_tags.py::test_tag_defined_again",)
ABOUT = r"again.id != tag.id"

before = existing(TeamTags, "create")


@replaces(TeamTags, "create")
def create(self: TeamTags, name: str, description: str) -> Tag:
    """Know a tag by its name."""
    tag: Tag = before(self, name, description)
    del self._tags[tag.id]
    tag.id = str(uuid.uuid5(uuid.NAMESPACE_OID, name))
    self._tags[tag.id] = tag
    return tag
