"""Break: a tag that is deleted stays on its devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.tags import TeamTags
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness_nordic.fake.tags import Tag

TITLE = "a tag that is deleted stays on its devices"
EXPECTED = (
    "test_tags.py::test_deleted_tag_is_gone_from_every_device",
    "test_tags.py::test_tag_defined_again",
)
ABOUT = r"tags"

before_delete = existing(TeamTags, "delete")
before_held = existing(TeamTags, "held")
deleted: dict[str, Tag] = {}


@replaces(TeamTags, "delete")
def delete(self: TeamTags, tag_id: str) -> None:
    """Keep what is deleted."""
    deleted[tag_id] = self.tag(tag_id)
    before_delete(self, tag_id)


@replaces(TeamTags, "held")
def held(self: TeamTags, tag_ids: Iterable[str]) -> list[Tag]:
    """Show what was kept, too."""
    wanted = list(tag_ids)
    kept: list[Tag] = before_held(self, wanted)
    return kept + [deleted[tag_id] for tag_id in wanted if tag_id in deleted]
