"""Break: devices show the name that a tag had at first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_nordic.fake.tags import TeamTags
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness_nordic.fake.tags import Tag

TITLE = "devices show the name that a tag had at first"
EXPECTED = ("test_tags.py::test_renamed_tag_shows_on_every_device",)
ABOUT = r"tags"

before = existing(TeamTags, "held")
first_names: dict[str, str] = {}


@replaces(TeamTags, "held")
def held(self: TeamTags, tag_ids: Iterable[str]) -> list[Tag]:
    """Keep the first name of each."""
    return [replace(tag, name=first_names.setdefault(tag.id, tag.name)) for tag in before(self, tag_ids)]
