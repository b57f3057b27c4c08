"""The calls about tags, and about those of one device (nrfcloud fact sheet, sections 2.6 and 2.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from harness_nordic.fake.answers import read_body
from harness_nordic.fake.bodies import DeviceChange, TagBody, parse_body
from harness_nordic.fake.refusals import NotFound
from harness_nordic.fake.team_calls import TeamCalls
from harness_nordic.fake.views import listed, shown_device

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.routing import Route

    from harness_nordic.fake.tags import Tag, TeamTags

FAMILIES = ("/v1/claimed-devices/tags", "/v1/provisioning/tags")
"""The documents have the first path, Nordic's own client the second."""


class TagManagement(TeamCalls):
    """The routes of tags; they come before those of devices, one of whose paths fits ``tags`` as well."""

    @property
    def routes(self) -> list[Route]:
        """All routes, in both families of paths."""
        routes = []
        for tags in FAMILIES:
            tag = tags + "/{tag_id}"
            routes += [
                self._route("POST", tags, self.create),
                self._route("GET", tags, self.list_tags),
                self._route("GET", tag, self.read),
                self._route("PUT", tag, self.change),
                self._route("DELETE", tag, self.delete),
            ]
        if self._service.choices.tags_settable:
            routes.append(self._route("PUT", "/v1/claimed-devices/{device_id}", self.set_tags))
        return routes

    def _tags(self, request: Request) -> TeamTags:
        return self._service.tags_of(self._member(request))

    async def create(self, request: Request) -> Response:
        """Define a tag."""
        tags = self._tags(request)
        body = parse_body(TagBody, await read_body(request))
        return self._answer(tags.create(body.tag, body.description), 201)

    async def list_tags(self, request: Request) -> Response:
        """All tags of the team, in pages."""
        return self._list(request, self._tags(request).all())

    async def read(self, request: Request) -> Response:
        """The tags of a device, or one tag: the documents use one path for both."""
        member, wanted = self._member(request), request.path_params["tag_id"]
        tags = self._service.tags_of(member)
        for device in self._service.devices(member):
            if device.id == wanted:
                return self._list(request, tags.held(device.tag_ids))
        if not self._service.choices.tags_readable:
            raise NotFound("the team has no such device")
        return JSONResponse(tags.tag(wanted).to_json())

    async def change(self, request: Request) -> Response:
        """``UpdateTag``: every device that holds the tag shows it."""
        tags = self._tags(request)
        body = parse_body(TagBody, await read_body(request))
        changed = tags.change(request.path_params["tag_id"], name=body.tag, description=body.description)
        return self._answer(changed, 200)

    async def delete(self, request: Request) -> Response:
        """``DeleteTags``: every device that held the tag has lost it."""
        self._tags(request).delete(request.path_params["tag_id"])
        return Response(status_code=204)

    async def set_tags(self, request: Request) -> Response:
        """Set the tags of a claimed device (section 2.6: fake choice)."""
        member = self._member(request)
        device = self._service.device(member, request.path_params["device_id"])
        body = parse_body(DeviceChange, await read_body(request))
        # The device may have been unclaimed while the body was on the way.
        device = self._service.device(member, device.id)
        tags = self._service.tags_of(member)
        device.tag_ids = tags.ids_of(body.tags, define=self._service.choices.tags_by_claim)
        return JSONResponse(shown_device(device, self._service.choices))

    def _list(self, request: Request, tags: Sequence[Tag]) -> Response:
        items = sorted((tag.number, tag.to_json()) for tag in tags)
        return listed(request, items, self._service.choices)

    def _answer(self, tag: Tag, status: int) -> Response:
        if self._service.choices.tags_answered:
            return JSONResponse(tag.to_json(), status_code=status)
        return Response(status_code=204)
