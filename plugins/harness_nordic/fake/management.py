"""The management API: claims, claimed devices, their commands (nrfcloud fact sheet, sections 2.1 to 2.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from harness_nordic.enums import CommandType
from harness_nordic.fake.answers import read_body
from harness_nordic.fake.bodies import ClaimBody, CommandBody, parse_body
from harness_nordic.fake.bulk_claims import bulk_answer, claim_rows, is_csv, read_rows
from harness_nordic.fake.refusals import BadRequest
from harness_nordic.fake.team_calls import TeamCalls
from harness_nordic.fake.views import created_command, listed, shown_command, shown_device

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

    from harness_nordic.fake.records import ClaimedDevice

_PORTAL_COMMANDS = {CommandType.CLIENT_PRIVATE_KEY, CommandType.CONFIG, CommandType.PRE_SHARED_KEY}
"""What the portal offers and no client sends: how the API calls them is a fake choice (section 2.8)."""

_FILTERS = ("tag", "status", "deviceType", "imei")


class Management(TeamCalls):
    """The routes of the management API."""

    @property
    def routes(self) -> list[Route]:
        """All routes; the claim is documented under two paths, and both work."""
        devices = "/v1/claimed-devices"
        device = devices + "/{device_id}"
        commands = device + "/provisioning"
        command = commands + "/{command_id}"
        return [
            self._route("POST", devices, self.claim),
            self._route("GET", devices, self.list_devices),
            self._route("POST", "/v1/identities/claimed-devices", self.claim),
            self._route("GET", device, self.read_device),
            self._route("DELETE", device, self.unclaim),
            self._route("POST", device + "/block", self.block),
            self._route("POST", device + "/unblock", self.unblock),
            self._route("POST", commands, self.create_command),
            self._route("GET", command, self.read_command),
        ] + (self._control_routes(commands, command) if self._choices.command_control else [])

    def _control_routes(self, commands: str, command: str) -> list[Route]:
        """Return the routes of what the portal can do with commands; their paths are a fake choice."""
        return [
            self._route("GET", commands, self.list_commands),
            self._route("POST", commands + "/reset", self.reset_commands),
            self._route("POST", commands + "/discard", self.discard_commands),
            self._route("DELETE", command, self.delete_command),
        ]

    def _device(self, request: Request) -> ClaimedDevice:
        return self._service.device(self._member(request), request.path_params["device_id"])

    async def claim(self, request: Request) -> Response:
        """``ClaimDeviceOwnership``: of one device, its dry run, and of several by CSV (section 2.4)."""
        member = self._member(request)
        dry_run = _flag(request, "dryrun")
        content = await read_body(request)
        if is_csv(content, request.headers.get("content-type", "")):
            if dry_run:
                raise BadRequest("dryrun: expected one token as JSON, and no rows")
            claimed, failed = claim_rows(self._service, member, read_rows(content))
            return JSONResponse(bulk_answer(self._service.choices, claimed, failed))
        body = parse_body(ClaimBody, content)
        if dry_run:
            self._service.check_claim(body.claim_token)
            return JSONResponse({}, 202) if self._choices.dry_run_body else Response(status_code=202)
        device = self._service.claim(member, body.claim_token, body.tags)
        return JSONResponse(shown_device(device, self._choices), status_code=201)

    async def list_devices(self, request: Request) -> Response:
        """``ListClaimedDevices``, in pages; the filters are a fake choice (section 2.6)."""
        devices = self._service.devices(self._member(request))
        for name in _FILTERS if self._choices.filters else ():
            wanted = request.query_params.get(name)
            if wanted is not None:
                devices = [device for device in devices if _has(device, name, wanted)]
        items = [(device.number, shown_device(device, self._choices)) for device in devices]
        return listed(request, items, self._choices)

    async def read_device(self, request: Request) -> Response:
        """One claimed device."""
        return JSONResponse(shown_device(self._device(request), self._choices))

    async def unclaim(self, request: Request) -> Response:
        """``UnclaimDevice``."""
        self._service.unclaim(self._member(request), request.path_params["device_id"])
        return Response(status_code=204)

    async def block(self, request: Request) -> Response:
        """``BlockClaimedDevice``: the queue is kept."""
        return self._blocked(request, blocked=True)

    async def unblock(self, request: Request) -> Response:
        """``UnblockClaimedDevice``: the queue goes on where it was."""
        return self._blocked(request, blocked=False)

    def _blocked(self, request: Request, *, blocked: bool) -> Response:
        device = self._device(request)
        device.blocked = blocked
        if self._choices.block_answers_device:
            return JSONResponse(shown_device(device, self._choices))
        return Response(status_code=204)

    async def create_command(self, request: Request) -> Response:
        """``CreateDeviceProvisioningCommand``."""
        device = self._device(request)
        body = parse_body(CommandBody, await read_body(request))
        command_type, fields = body.request.only_request()
        if command_type in _PORTAL_COMMANDS and not self._choices.portal_commands:
            raise BadRequest(f"there is no command {command_type}")
        command = device.queue.add(
            command_type, fields, description=body.description, created_at=self._service.clock.timestamp()
        )
        return JSONResponse(created_command(command, self._choices), status_code=201)

    async def read_command(self, request: Request) -> Response:
        """One command of a device."""
        command = self._device(request).queue.command(request.path_params["command_id"])
        return JSONResponse(shown_command(command, self._choices))

    async def list_commands(self, request: Request) -> Response:
        """Every command of a device, in pages (section 2.8: fake choice)."""
        commands = self._device(request).queue.commands()
        items = [(command.sequence, shown_command(command, self._choices)) for command in commands]
        return listed(request, items, self._choices)

    async def delete_command(self, request: Request) -> Response:
        """Delete a command that the device has not in hand (section 2.8: fake choice)."""
        self._device(request).queue.delete(request.path_params["command_id"])
        return Response(status_code=204)

    async def reset_commands(self, request: Request) -> Response:
        """Let a device try again (section 2.8: fake choice)."""
        self._device(request).queue.reset()
        return Response(status_code=204)

    async def discard_commands(self, request: Request) -> Response:
        """Drop what a device has not done (section 2.8: fake choice)."""
        self._device(request).queue.discard()
        return Response(status_code=204)


def _flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false").lower()
    if text not in {"true", "false"}:
        raise BadRequest(f"{name}: expected true or false")
    return text == "true"


def _has(device: ClaimedDevice, name: str, wanted: str) -> bool:
    if name == "tag":
        return wanted in device.tags
    return bool(device.to_json()[name] == wanted)
