"""The management API: claims, claimed devices, their commands (nrfcloud fact sheet, sections 2.1 to 2.8)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness_nordic.enums import Role
from harness_nordic.fake.answers import read_body
from harness_nordic.fake.bodies import ClaimBody, CommandBody, parse_body
from harness_nordic.fake.refusals import BadRequest, NotAllowed, NotAuthenticated
from harness_nordic.fake.tokens import decode_base64url

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_nordic.fake.records import ClaimedDevice, Member
    from harness_nordic.fake.service import ProvisioningService

DEFAULT_PAGE = 10
LARGEST_PAGE = 100
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_PAGE_TOKEN = re.compile(rb"after:(\d{1,18})")
_FILTERS = ("tag", "status", "deviceType", "imei")


def bearer_of(request: Request) -> str:
    """Return what stands behind ``Bearer`` in the header ``Authorization``.

    :raises NotAuthenticated: nothing does.
    """
    match = _BEARER.fullmatch(request.headers.get("authorization", "").strip())
    if match is None:
        raise NotAuthenticated("Unauthorized")
    return match[1]


class Management:
    """The routes of the management API."""

    def __init__(self, service: ProvisioningService) -> None:
        """Serve what a service decides."""
        self._service = service

    @property
    def routes(self) -> list[Route]:
        """All routes; the claim is documented under two paths, and both work."""
        devices = "/v1/claimed-devices"
        device = devices + "/{device_id}"
        return [
            Route(devices, self.claim, methods=["POST"]),
            Route(devices, self.list_devices, methods=["GET"]),
            Route("/v1/identities/claimed-devices", self.claim, methods=["POST"]),
            Route(device, self.read_device, methods=["GET"]),
            Route(device, self.unclaim, methods=["DELETE"]),
            Route(device + "/block", self.block, methods=["POST"]),
            Route(device + "/unblock", self.unblock, methods=["POST"]),
            Route(device + "/provisioning", self.create_command, methods=["POST"]),
            Route(device + "/provisioning/{command_id}", self.read_command, methods=["GET"]),
        ]

    def _member(self, request: Request) -> Member:
        member = self._service.member(bearer_of(request))
        if member.role is Role.VIEWER and request.method not in {"GET", "HEAD"}:
            raise NotAllowed("a viewer may read and nothing else")
        return member

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
        limit = _page_limit(request)
        after = _page_start(request)
        rest = [device for device in devices if device.number > after]
        page: dict[str, Any] = {
            "items": [device.to_json() for device in rest[:limit]],
            "total": len(devices),
        }
        if len(rest) > limit:
            page["pageNextToken"] = _page_token(rest[limit - 1].number)
        return JSONResponse(page)

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


def _flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false").lower()
    if text not in {"true", "false"}:
        raise BadRequest(f"{name}: expected true or false")
    return text == "true"


def _has(device: ClaimedDevice, name: str, wanted: str) -> bool:
    if name == "tag":
        return wanted in device.tags
    return bool(device.to_json()[name] == wanted)


def _page_limit(request: Request) -> int:
    text = request.query_params.get("pageLimit", str(DEFAULT_PAGE))
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= LARGEST_PAGE:
        raise BadRequest(f"pageLimit: expected a number from 1 to {LARGEST_PAGE}")
    return int(text)


def _page_token(number: int) -> str:
    import base64

    return base64.urlsafe_b64encode(f"after:{number}".encode()).decode().rstrip("=")


def _page_start(request: Request) -> int:
    token = request.query_params.get("pageNextToken")
    if token is None:
        return 0
    try:
        match = _PAGE_TOKEN.fullmatch(decode_base64url(token))
    except ValueError:
        match = None
    if match is None:
        raise BadRequest("pageNextToken: expected what an earlier page gave")
    return int(match[1])
