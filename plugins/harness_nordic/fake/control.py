"""What only the session that ordered the fake may do: records, teams, faults, events, clock, TLS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness_nordic.enums import AfterError, DeviceType, FaultKind, FaultPlace, Role
from harness_nordic.fake.answers import read_body
from harness_nordic.fake.bodies import parse_body
from harness_nordic.fake.faults import Fault
from harness_nordic.fake.records import FactoryRecord
from harness_nordic.fake.refusals import BadRequest
from harness_nordic.fake.tokens import load_public_key

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_nordic.fake.certificates import TlsDoor
    from harness_nordic.fake.service import ProvisioningService

_UUID = r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"
_OK = 200
_LONGEST_DELAY = 3600.0
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


class FaultBody(_Body):
    """``POST /faults``: what is to go wrong, for whom, and how often.

    ``owner`` narrows a fault to a team's devices or calls, ``orderer`` only says whose test ordered it.
    """

    on: FaultPlace
    kind: FaultKind
    device: Uuid | None = None
    owner: Uuid | None = None
    orderer: str = ""
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    seconds: Annotated[float, Field(ge=0, le=_LONGEST_DELAY, allow_inf_nan=False)] = 0.0
    times: Annotated[int, Field(ge=1, le=1_000_000)] = 1


class AfterErrorBody(_Body):
    """``POST /after-error``: what becomes of the commands behind one that failed.

    ``null`` puts back what the fake was started with.
    """

    owner: Uuid
    after_error: AfterError | None


class ClockBody(_Body):
    """``POST /clock``: seconds that the fake is to be ahead of the host's clock."""

    shift: Annotated[float, Field(ge=-_LONGEST_SHIFT, le=_LONGEST_SHIFT, allow_inf_nan=False)]


class Control:
    """The routes of the control socket."""

    def __init__(self, service: ProvisioningService, tls: TlsDoor) -> None:
        """Control a service.

        :param tls: where it is served over TLS.
        """
        self._service = service
        self._tls = tls

    @property
    def routes(self) -> list[Route]:
        """All routes."""
        return [
            Route("/factory", self.enrol, methods=["POST"]),
            Route("/teams", self.add_team, methods=["POST"]),
            Route("/events", self.events, methods=["GET"]),
            Route("/clock", self.shift_clock, methods=["POST"]),
            Route("/faults", self.order_fault, methods=["POST"]),
            Route("/faults", self.list_faults, methods=["GET"]),
            Route("/faults", self.remove_faults, methods=["DELETE"]),
            Route("/faults/{fault_id}", self.remove_fault, methods=["DELETE"]),
            Route("/after-error", self.order_after_error, methods=["POST"]),
            Route("/tls", self.tls, methods=["GET"]),
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
        """Tell what a device asked of the device endpoint, or without ``device`` what belongs to none."""
        device_id = request.query_params.get("device")
        if device_id is None:
            return JSONResponse({"items": self._service.faults.events()})
        requests = self._service.requests_of(device_id.lower())
        last = request.query_params.get("last")
        if last is not None:
            if not re.fullmatch(r"[1-9][0-9]{0,5}", last):
                raise BadRequest(f"last: {last!r}; expected a number from 1")
            requests = requests[-int(last) :]
        return JSONResponse({"items": [entry.to_json() for entry in requests]})

    async def order_fault(self, request: Request) -> Response:
        """Let something go wrong."""
        body = parse_body(FaultBody, await read_body(request))
        if body.kind is FaultKind.STATUS and body.on is FaultPlace.FETCH and body.status == _OK:
            raise BadRequest("status: an answer 200 to a fetch holds commands; expected another status")
        fault = Fault(
            place=body.on,
            kind=body.kind,
            device=body.device,
            owner=body.owner,
            orderer=body.orderer,
            status=body.status,
            seconds=body.seconds,
            left=body.times,
        )
        self._service.faults.order(fault)
        return JSONResponse({"id": fault.id}, status_code=201)

    async def list_faults(self, _request: Request) -> Response:
        """Tell what is to go wrong, and how often it did."""
        return JSONResponse({"items": [fault.to_json() for fault in self._service.faults.ordered()]})

    async def remove_fault(self, request: Request) -> Response:
        """Take a fault back."""
        self._service.faults.remove(request.path_params["fault_id"])
        return Response(status_code=204)

    async def remove_faults(self, request: Request) -> Response:
        """Take back what one team's tests ordered."""
        orderer = request.query_params.get("orderer", "")
        if not orderer:
            raise BadRequest("orderer: expected whose faults are to be removed")
        return JSONResponse({"removed": self._service.faults.remove_all_of(orderer)})

    async def order_after_error(self, request: Request) -> Response:
        """Decide for a team what becomes of the commands behind one that failed (section 3.7)."""
        body = parse_body(AfterErrorBody, await read_body(request))
        self._service.order_after_error(body.owner, body.after_error)
        return Response(status_code=204)

    async def tls(self, _request: Request) -> Response:
        """Tell where the service is served over TLS, and which authority is to be trusted there."""
        return JSONResponse({"url": self._tls.url, "ca": self._tls.ca_pem})

    async def shift_clock(self, request: Request) -> Response:
        """Shift the time of the whole fake; 0 puts it right again."""
        self._service.clock.shift = parse_body(ClockBody, await read_body(request)).shift
        return JSONResponse({"shift": self._service.clock.shift, "now": self._service.clock.timestamp()})
