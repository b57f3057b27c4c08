"""The management API: claims, claimed devices, their commands (nrfcloud fact sheet, sections 2.1 to 2.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from harness_nordic.fake.answers import read_body
from harness_nordic.fake.bodies import ClaimBody, CommandBody, parse_body
from harness_nordic.fake.paging import page_of
from harness_nordic.fake.refusals import BadRequest
from harness_nordic.fake.team_calls import TeamCalls

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

    from harness_nordic.fake.records import ClaimedDevice

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
            self._route("GET", commands, self.list_commands),
            self._route("POST", commands + "/reset", self.reset_commands),
            self._route("POST", commands + "/discard", self.discard_commands),
            self._route("GET", command, self.read_command),
            self._route("DELETE", command, self.delete_command),
        ]

    def _device(self, request: Request) -> ClaimedDevice:
        return self._service.device(self._member(request), request.path_params["device_id"])

    async def claim(self, request: Request) -> Response:
        """``ClaimDeviceOwnership``, and its dry run."""
        member = self._member(request)
        dry_run = _flag(request, "dryrun")
        body = parse_body(ClaimBody, await read_body(request))
        if dry_run:
            self._service.check_claim(body.claim_token)
            return Response(status_code=202)
        device = self._service.claim(member, body.claim_token, body.tags)
        return JSONResponse(device.to_json(), status_code=201)

    async def list_devices(self, request: Request) -> Response:
        """``ListClaimedDevices``, in pages; the filters are a fake choice (section 2.6)."""
        devices = self._service.devices(self._member(request))
        for name in _FILTERS:
            wanted = request.query_params.get(name)
            if wanted is not None:
                devices = [device for device in devices if _has(device, name, wanted)]
        return page_of(request, [(device.number, device.to_json()) for device in devices])

    async def read_device(self, request: Request) -> Response:
        """One claimed device."""
        return JSONResponse(self._device(request).to_json())

    async def unclaim(self, request: Request) -> Response:
        """``UnclaimDevice``."""
        self._service.unclaim(self._member(request), request.path_params["device_id"])
        return Response(status_code=204)

    async def block(self, request: Request) -> Response:
        """``BlockClaimedDevice``: the queue is kept."""
        self._device(request).blocked = True
        return Response(status_code=204)

    async def unblock(self, request: Request) -> Response:
        """``UnblockClaimedDevice``: the queue goes on where it was."""
        self._device(request).blocked = False
        return Response(status_code=204)

    async def create_command(self, request: Request) -> Response:
        """``CreateDeviceProvisioningCommand``."""
        device = self._device(request)
        body = parse_body(CommandBody, await read_body(request))
        command_type, fields = body.request.only_request()
        command = device.queue.add(
            command_type, fields, description=body.description, created_at=self._service.clock.timestamp()
        )
        return JSONResponse(command.to_json(), status_code=201)

    async def read_command(self, request: Request) -> Response:
        """One command of a device."""
        command = self._device(request).queue.command(request.path_params["command_id"])
        return JSONResponse(command.to_json())

    async def list_commands(self, request: Request) -> Response:
        """Every command of a device, in pages (section 2.8: fake choice)."""
        commands = self._device(request).queue.commands()
        return page_of(request, [(command.sequence, command.to_json()) for command in commands])

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
