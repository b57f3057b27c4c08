"""What only the session that ordered the fake may do: organisations, users, time, holds, faults, events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness_guardian.enums import Role, Status
from harness_guardian.fake.answers import parse_json, read_body
from harness_guardian.fake.dates import rfc3339
from harness_guardian.fake.door_faults import DoorFault

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_guardian.fake.door_faults import DoorFaults
    from harness_guardian.fake.records import Event, User
    from harness_guardian.fake.service import GuardianService
    from harness_guardian.fake.vault_control import VaultControl

_LONGEST_DWELL = 3600.0
_MOST_ROWS = 100_000

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
RoleName = Annotated[Role, Field(description="what the user may do")]
StatusName = Annotated[Status, Field(description="in which requests stay")]
Times = Annotated[int, Field(ge=1, le=1_000_000)]


class ControlBody(BaseModel):
    """Base of what the session sends: no field that nobody reads."""

    model_config = ConfigDict(extra="forbid")


class OrganisationBody(ControlBody):
    """``POST /organisations``."""

    name: Name


class UserBody(ControlBody):
    """``POST /organisations/{name}/users``."""

    name: Name
    role: RoleName


class DwellBody(ControlBody):
    """``PUT /organisations/{name}/dwell``: seconds that each transient status lasts."""

    seconds: Annotated[float, Field(ge=0, le=_LONGEST_DWELL, allow_inf_nan=False)]


class ClockBody(ControlBody):
    """``PUT /organisations/{name}/clock``: seconds that its clock is to be ahead of the host's."""

    offset_seconds: Annotated[float, Field(allow_inf_nan=False)]


class RowsBody(ControlBody):
    """``POST /organisations/{name}/rows``: rows without requests behind them, to measure lists with."""

    system: Name
    count: Annotated[int, Field(ge=1, le=_MOST_ROWS)]


class HoldBody(ControlBody):
    """``POST /holds``: requests of a system stay in a status."""

    organisation: Name
    system: Name
    status: StatusName


class DoorFaultBody(ControlBody):
    """``POST /service/faults``: calls of an organisation are answered with a status."""

    organisation: Name
    status: Annotated[int, Field(ge=400, le=599)]
    retry_after: Annotated[int, Field(ge=0, le=3600)] | None = None
    times: Times = 1


class Control:
    """The routes of the control socket."""

    def __init__(self, service: GuardianService, faults: DoorFaults, vault: VaultControl | None) -> None:
        """Control a service.

        :param faults: that strike its callers.
        :param vault: controls the Vault behind it; ``None`` when it is not ours.
        """
        self._service = service
        self._faults = faults
        self._vault = vault

    @property
    def routes(self) -> list[Route]:
        """All routes."""
        one = "/organisations/{name}"
        return [
            Route("/organisations", self.add_organisation, methods=["POST"]),
            Route(f"{one}/users", self.add_user, methods=["POST"]),
            Route(f"{one}/dwell", self.order_dwell, methods=["PUT"]),
            Route(f"{one}/clock", self.order_clock, methods=["PUT"]),
            Route(f"{one}/rows", self.fill, methods=["POST"]),
            Route(f"{one}/events", self.events, methods=["GET"]),
            Route(f"{one}/orders", self.withdraw_orders, methods=["DELETE"]),
            Route("/holds", self.hold, methods=["POST"]),
            Route("/holds/{identifier}", self.release_hold, methods=["DELETE"]),
            Route("/service/faults", self.order_fault, methods=["POST"]),
            Route("/service/faults/{identifier}", self.remove_fault, methods=["DELETE"]),
            *(() if self._vault is None else self._vault.routes),
        ]

    async def add_organisation(self, request: Request) -> Response:
        """Make an organisation with its first users, or tell the one of a name again: 201 or 200."""
        body = parse_json(OrganisationBody, await read_body(request))
        organisation, made = self._service.add_organisation(body.name)
        users = [_user_json(user) for user in organisation.users.values()]
        return JSONResponse({"name": organisation.name, "users": users}, status_code=201 if made else 200)

    async def add_user(self, request: Request) -> Response:
        """Make a user, or tell the one of a name again: 201 or 200; nowhere else is a token ever told."""
        name = request.path_params["name"]
        body = parse_json(UserBody, await read_body(request))
        known = body.name in self._service.organisation(name).users
        user = self._service.add_user(name, body.name, body.role)
        return JSONResponse(_user_json(user), status_code=200 if known else 201)

    async def order_dwell(self, request: Request) -> Response:
        """Decide how long each transient status lasts."""
        body = parse_json(DwellBody, await read_body(request))
        self._service.order_dwell(request.path_params["name"], body.seconds)
        return Response(status_code=204)

    async def order_clock(self, request: Request) -> Response:
        """Shift the time of an organisation; 0 puts it right again."""
        body = parse_json(ClockBody, await read_body(request))
        name = request.path_params["name"]
        self._service.order_clock(name, body.offset_seconds)
        now = self._service.organisation(name).clock.seconds()
        return JSONResponse({"offset_seconds": body.offset_seconds, "now": rfc3339(now)})

    async def fill(self, request: Request) -> Response:
        """Make rows to measure lists with."""
        body = parse_json(RowsBody, await read_body(request))
        self._service.fill_for_measurements(request.path_params["name"], body.system, body.count)
        return JSONResponse({"made": body.count}, status_code=201)

    async def events(self, request: Request) -> Response:
        """Tell what happened in an organisation."""
        events = self._service.events(request.path_params["name"])
        return JSONResponse({"items": [_event_json(event) for event in events]})

    async def withdraw_orders(self, request: Request) -> Response:
        """End what a test ordered: holds, faults, dwell and clock."""
        name = request.path_params["name"]
        self._service.withdraw_orders(name)
        self._faults.remove_all_of(name)
        if self._vault is not None:
            self._vault.withdraw_orders(name)
        return Response(status_code=204)

    async def hold(self, request: Request) -> Response:
        """Keep requests in a status."""
        body = parse_json(HoldBody, await read_body(request))
        made = self._service.hold(body.organisation, body.system, body.status)
        return JSONResponse({"id": made.id}, status_code=201)

    async def release_hold(self, request: Request) -> Response:
        """Let requests go that are held."""
        self._service.release_hold(request.path_params["identifier"])
        return Response(status_code=204)

    async def order_fault(self, request: Request) -> Response:
        """Let calls of an organisation be refused for a while."""
        body = parse_json(DoorFaultBody, await read_body(request))
        organisation = self._service.organisation(body.organisation)
        fault = DoorFault(
            organisation=organisation.name,
            status=body.status,
            retry_after=body.retry_after,
            left=body.times,
        )
        self._faults.order(fault)
        return JSONResponse({"id": fault.id}, status_code=201)

    async def remove_fault(self, request: Request) -> Response:
        """Take such a fault back."""
        self._faults.remove(request.path_params["identifier"])
        return Response(status_code=204)


def _user_json(user: User) -> dict[str, str]:
    return {"name": user.name, "role": user.role.value, "token": user.token}


def _event_json(event: Event) -> dict[str, Any]:
    return {**event.facts, "at": rfc3339(event.at), "kind": event.kind}
