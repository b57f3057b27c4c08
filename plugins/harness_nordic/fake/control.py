"""What only the session that ordered the fake may do: factory records, teams, the log, the clock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness_nordic.enums import DeviceType, Role
from harness_nordic.fake.answers import read_body
from harness_nordic.fake.bodies import parse_body
from harness_nordic.fake.records import FactoryRecord
from harness_nordic.fake.refusals import BadRequest
from harness_nordic.fake.tokens import load_public_key

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_nordic.fake.service import ProvisioningService

_UUID = r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"
_LONGEST_SHIFT = 10 * 366 * 24 * 3600.0

Uuid = Annotated[str, StringConstraints(to_lower=True, pattern=re.compile(_UUID, re.IGNORECASE))]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FactoryBody(_Body):
    """``POST /factory``: what a factory tells of a device it made."""

    uuid: Uuid
    public_key: str
    imei: Annotated[str, StringConstraints(pattern=r"^[0-9]{15}$")]
    device_type: DeviceType
    firmware_uuid: Uuid


class TeamBody(_Body):
    """``POST /teams``: a new team, or with ``owner_id`` another member of an existing one.

    A ``name`` that was given before gives the same member again.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    role: Role | None = None
    owner_id: str | None = None
    api_key: Annotated[str, StringConstraints(pattern=r"^[!-~]+$")] | None = None


class ClockBody(_Body):
    """``POST /clock``: seconds that the fake is to be ahead of the host's clock."""

    shift: Annotated[float, Field(ge=-_LONGEST_SHIFT, le=_LONGEST_SHIFT, allow_inf_nan=False)]


class Control:
    """The routes of the control socket."""

    def __init__(self, service: ProvisioningService) -> None:
        """Control a service."""
        self._service = service

    @property
    def routes(self) -> list[Route]:
        """All routes."""
        return [
            Route("/factory", self.enrol, methods=["POST"]),
            Route("/teams", self.add_team, methods=["POST"]),
            Route("/events", self.events, methods=["GET"]),
            Route("/clock", self.shift_clock, methods=["POST"]),
        ]

    async def enrol(self, request: Request) -> Response:
        """Register a device; a second record of it replaces the first."""
        body = parse_body(FactoryBody, await read_body(request))
        try:
            key = load_public_key(body.public_key)
        except ValueError as error:
            raise BadRequest("public_key: expected an uncompressed point on P-256 in hex, or PEM") from error
        self._service.enrol(
            FactoryRecord(
                id=body.uuid,
                public_key=key,
                imei=body.imei,
                device_type=body.device_type,
                firmware_id=body.firmware_uuid,
            )
        )
        return JSONResponse({"uuid": body.uuid}, status_code=201)

    async def add_team(self, request: Request) -> Response:
        """Make an API key, or tell the one of a name again: 201 or 200; nowhere else is a key ever told."""
        body = parse_body(TeamBody, await read_body(request))
        wanted = {"owner_id": body.owner_id, "api_key": body.api_key}
        if body.name is None:
            member, made = self._service.add_member(body.role or Role.OWNER, **wanted), True
        else:
            member, made = self._service.named_member(body.name, body.role, **wanted)
        told = {"owner_id": member.owner_id, "api_key": member.api_key, "role": member.role.value}
        return JSONResponse(told, status_code=201 if made else 200)

    async def events(self, request: Request) -> Response:
        """Tell what a device asked of the device endpoint, oldest first."""
        requests = self._service.requests_of(request.query_params.get("device", "").lower())
        return JSONResponse({"items": [entry.to_json() for entry in requests]})

    async def shift_clock(self, request: Request) -> Response:
        """Shift the time of the whole fake; 0 puts it right again."""
        self._service.clock.shift = parse_body(ClockBody, await read_body(request)).shift
        return JSONResponse({"shift": self._service.clock.shift, "now": self._service.clock.timestamp()})
