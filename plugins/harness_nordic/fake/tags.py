"""The tags of one team, which the portal calls provisioning groups (nrfcloud fact sheet, section 2.7).

Devices and rules hold ids of tags and never their names: so a tag that is renamed shows everywhere at once,
and one that is deleted is gone everywhere.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness_nordic.fake.refusals import BadRequest, Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(slots=True, kw_only=True)
class Tag:
    """A tag of a team.

    :ivar number: counts the team's tags; the order of lists.
    """

    id: str
    number: int
    name: str
    description: str

    def to_json(self) -> dict[str, Any]:
        """Return the tag object of the API (section 2.7: fake choice)."""
        return {"id": self.id, "tag": self.name, "description": self.description}


class TeamTags:
    """All tags of one team; their names are unique."""

    def __init__(self) -> None:
        """Begin without tags."""
        self._tags: dict[str, Tag] = {}
        self._made = 0

    def create(self, name: str, description: str = "") -> Tag:
        """Define a tag.

        :raises Conflict: there is one of this name.
        """
        self._refuse_taken(name)
        self._made += 1
        tag = Tag(id=str(uuid.uuid4()), number=self._made, name=name, description=description)
        self._tags[tag.id] = tag
        return tag

    def ids_of(self, names: Iterable[str], *, define: bool) -> tuple[str, ...]:
        """Return the ids of tags, in the order of their names, each once.

        :param define: whether tags that nobody defined are defined now.
        :raises BadRequest: nobody defined one of them, and now is no time to.
        """
        known = {tag.name: tag.id for tag in self._tags.values()}
        unique = tuple(dict.fromkeys(names))
        unknown = [name for name in unique if name not in known]
        if unknown and not define:
            raise BadRequest("tags: at least one of them is not defined")
        known.update((name, self.create(name).id) for name in unknown)
        return tuple(known[name] for name in unique)

    def tag(self, tag_id: str) -> Tag:
        """Return a tag.

        :raises NotFound: the team has no such tag.
        """
        try:
            return self._tags[tag_id]
        except KeyError:
            raise NotFound("the team has no such tag") from None

    def all(self) -> list[Tag]:
        """Return every tag in the order of creation."""
        return list(self._tags.values())

    def held(self, tag_ids: Iterable[str]) -> list[Tag]:
        """Return those of some tags that are not deleted."""
        return [self._tags[tag_id] for tag_id in tag_ids if tag_id in self._tags]

    def change(self, tag_id: str, *, name: str, description: str) -> Tag:
        """Rename a tag, and describe it anew.

        :raises NotFound: the team has no such tag.
        :raises Conflict: another tag has this name.
        """
        tag = self.tag(tag_id)
        if name != tag.name:
            self._refuse_taken(name)
        tag.name, tag.description = name, description
        return tag

    def delete(self, tag_id: str) -> None:
        """Delete a tag, and with it take it from whatever holds it.

        :raises NotFound: the team has no such tag.
        """
        del self._tags[self.tag(tag_id).id]

    def _refuse_taken(self, name: str) -> None:
        if any(tag.name == name for tag in self._tags.values()):
            raise Conflict("the team has a tag of this name")
