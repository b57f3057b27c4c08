"""Break: setting the tags of a device keeps those that it had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.tag_calls import TagManagement
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TITLE = "setting the tags of a device keeps those that it had"
EXPECTED = ("test_tags.py::test_set_the_tags_of_a_device",)
ABOUT = r"tags"

before = existing(TagManagement, "set_tags")


@replaces(TagManagement, "set_tags")
async def set_tags(self: TagManagement, request: Request) -> Response:
    """Add to what is there."""
    member = self._member(request)
    device = self._service.device(member, request.path_params["device_id"])
    had = device.tag_ids
    answer: Response = await before(self, request)
    device.tag_ids = tuple(dict.fromkeys((*had, *device.tag_ids)))
    return answer
