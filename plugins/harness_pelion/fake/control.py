"""What only the session that ordered the fake may do: accounts, users, limits, time, faults, logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness_pelion.enums import CertificateService
from harness_pelion.fake.answers import check, decoded, read_body
from harness_pelion.fake.clock import timestamp
from harness_pelion.fake.coap import read_code
from harness_pelion.fake.device_calls import device_json, event_json
from harness_pelion.fake.faults import API, Fault
from harness_pelion.fake.refusals import invalid, not_found

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_pelion.fake.faults import Faults
    from harness_pelion.fake.records import Account, ApiKey, User
    from harness_pelion.fake.service import PelionService

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Times = Annotated[int, Field(ge=1, le=1_000_000)]

_ERRORS = range(400, 600)
_LONGEST_WAIT = 3600


class ControlBody(BaseModel):
    """Base of what the session sends: no field that nobody reads."""

    model_config = ConfigDict(extra="forbid")


class AccountBody(ControlBody):
    """``POST /accounts``."""

    name: Name


class UserBody(ControlBody):
    """``POST /accounts/{id}/users``."""

    name: Name
    group: Literal["administrators", "developers"] = "administrators"


class LimitsBody(ControlBody):
    """``POST /accounts/{id}/limits``; what is not given stays."""

    devices_per_certificate: Count | None = None
    certificates: Count | None = None


class StatusBody(ControlBody):
    """``POST /accounts/{id}/status``."""

    status: Literal["ENROLLING", "ACTIVE", "RESTRICTED", "SUSPENDED"]


class ClockBody(ControlBody):
    """``POST /clock``: seconds that an account's time is to be ahead of the host's."""

    account: str
    offset_seconds: Annotated[float, Field(allow_inf_nan=False)]


class FaultBody(BaseModel):
    """``POST /faults``; further fields are what the kind needs."""

    model_config = ConfigDict(extra="allow")

    account: str
    part: Literal["api", "bootstrap", "lwm2m"]
    kind: str
    step: str | None = None
    skip: Count = 0
    times: Times = 1


class Control:
    """The routes of the control socket."""

    def __init__(self, service: PelionService, faults: Faults) -> None:
        """Control a service.

        :param faults: that strike its callers and its devices.
        """
        self._service = service
        self._faults = faults

    @property
    def routes(self) -> list[Route]:
        """All routes."""
        one = "/accounts/{id}"
        return [
            Route("/accounts", self.add_account, methods=["POST"]),
            Route(f"{one}/users", self.add_user, methods=["POST"]),
            Route(f"{one}/users/{{name}}", self.remove_user, methods=["DELETE"]),
            Route(f"{one}/limits", self.set_limits, methods=["POST"]),
            Route(f"{one}/status", self.set_status, methods=["POST"]),
            Route(f"{one}/devices", self.devices, methods=["GET"]),
            Route(f"{one}/devices", self.forget_devices, methods=["DELETE"]),
            Route(f"{one}/events", self.events, methods=["GET"]),
            Route(f"{one}/orders", self.withdraw_orders, methods=["DELETE"]),
            Route("/servers", self.servers, methods=["GET"]),
            Route("/clock", self.shift_clock, methods=["POST"]),
            Route("/faults", self.order_fault, methods=["POST"]),
            Route("/faults", self.waiting_faults, methods=["GET"]),
            Route("/faults", self.remove_faults, methods=["DELETE"]),
            Route("/faults/{id}", self.remove_fault, methods=["DELETE"]),
            Route("/log", self.log, methods=["GET"]),
        ]

    # Accounts ----------------------------------------------------------------------------------------

    async def add_account(self, request: Request) -> Response:
        """Make an account with a first user, or tell the one of a name again: 201 or 200."""
        body = await _read(request, AccountBody)
        account, key, made = self._service.accounts.add(body.name)
        document = {"id": account.id, "name": account.name, "api_key": key.secret, "api_key_id": key.id}
        return JSONResponse(document, status_code=201 if made else 200)

    async def add_user(self, request: Request) -> Response:
        """Make a user, or tell the one of a name again: 201 or 200."""
        account = self._account(request)
        body = await _read(request, UserBody)
        user, key, made = self._service.accounts.add_user(account, body.name, body.group)
        return JSONResponse(_user_json(user, key), status_code=201 if made else 200)

    async def remove_user(self, request: Request) -> Response:
        """Remove a user and revoke their keys: 204."""
        if not self._service.accounts.remove_user(self._account(request), request.path_params["name"]):
            raise not_found("user")
        return Response(status_code=204)

    async def set_limits(self, request: Request) -> Response:
        """Set how much an account may have; what it has already stays."""
        account = self._account(request)
        body = await _read(request, LimitsBody)
        if body.devices_per_certificate is not None:
            account.devices_per_certificate = body.devices_per_certificate
        if body.certificates is not None:
            account.certificates_limit = body.certificates
        limits = {
            "devices_per_certificate": account.devices_per_certificate,
            "certificates": account.certificates_limit,
        }
        return JSONResponse(limits)

    async def set_status(self, request: Request) -> Response:
        """Suspend an account, or let it be used again: 204."""
        account = self._account(request)
        account.status = (await _read(request, StatusBody)).status
        return Response(status_code=204)

    async def withdraw_orders(self, request: Request) -> Response:
        """End what a test ordered for an account: faults, time, limits and status."""
        account = self._account(request)
        self._faults.remove_all_of(account.id)
        self._service.clock.shift(account.id, 0)
        self._service.accounts.reset(account)
        return Response(status_code=204)

    # Devices -----------------------------------------------------------------------------------------

    async def devices(self, request: Request) -> Response:
        """Tell all devices of an account with all that is known of them."""
        devices = self._account(request).devices.values()
        rows = [{**device_json(device), "lifetime": device.lifetime} for device in devices]
        return JSONResponse({"items": rows})

    async def forget_devices(self, request: Request) -> Response:
        """Forget all devices of an account, or those of one certificate: 204."""
        account = self._account(request)
        ca_id = request.query_params.get("ca_id")
        for device in [each for each in account.devices.values() if ca_id in {None, each.ca_id}]:
            self._service.directory.delete(device)
        return Response(status_code=204)

    async def events(self, request: Request) -> Response:
        """Tell all events of an account, oldest first."""
        events = self._account(request).events
        return JSONResponse({"items": [event_json(event, self._service.choices) for event in events]})

    async def servers(self, _request: Request) -> Response:
        """Tell where the two servers are, and whom to trust there."""
        issuing = self._service.issuing
        pems = {
            CertificateService.BOOTSTRAP: issuing.bootstrap.pem,
            CertificateService.LWM2M: issuing.lwm2m.pem,
        }
        servers = {
            server.value: {"uri": self._service.uri_of(server), "ca": pem} for server, pem in pems.items()
        }
        return JSONResponse(servers)

    # Time, faults, log -------------------------------------------------------------------------------

    async def shift_clock(self, request: Request) -> Response:
        """Shift the time of an account; 0 puts it right again."""
        body = await _read(request, ClockBody)
        account = self._known(body.account, "account")
        try:
            self._service.clock.shift(account.id, body.offset_seconds)
        except OverflowError:
            raise invalid("offset_seconds", "there is no such time") from None
        now = timestamp(self._service.clock.now(account.id))
        return JSONResponse({"offset_seconds": body.offset_seconds, "now": now})

    async def order_fault(self, request: Request) -> Response:
        """Order something to be done wrong: 201."""
        body = await _read(request, FaultBody)
        account = self._known(body.account, "account")
        kinds = self._faults.kinds(body.part)
        if body.kind not in kinds:
            raise invalid("kind", f"expected one of {', '.join(kinds)}")
        steps = self._faults.steps(body.part, body.kind)
        if body.step is not None and body.step not in steps:
            raise invalid("step", f"expected one of {', '.join(steps)}")
        details = dict(body.model_extra or {})
        check_details = _check_api_fault if body.part == API else _check_server_fault
        check_details(body.kind, details)
        fault = Fault(
            account_id=account.id,
            part=body.part,
            kind=body.kind,
            step=body.step,
            skip=body.skip,
            left=body.times,
            details=details,
        )
        self._faults.order(fault)
        return JSONResponse({"id": fault.id}, status_code=201)

    async def waiting_faults(self, request: Request) -> Response:
        """Tell what is ordered for an account and has not struck as often as it shall."""
        account = self._known(request.query_params.get("account", ""), "account")
        faults = self._faults.waiting(account.id)
        return JSONResponse({"items": [_fault_json(fault) for fault in faults]})

    async def remove_faults(self, request: Request) -> Response:
        """Take back all that was ordered for an account: 204."""
        self._faults.remove_all_of(self._known(request.query_params.get("account", ""), "account").id)
        return Response(status_code=204)

    async def remove_fault(self, request: Request) -> Response:
        """Take back one: 204."""
        if not self._faults.remove(request.path_params["id"]):
            raise not_found("fault")
        return Response(status_code=204)

    async def log(self, request: Request) -> Response:
        """Tell what the servers noted of an account, or, without one, of nobody's connections."""
        identifier = request.query_params.get("account", "")
        if identifier:
            self._known(identifier, "account")
        return JSONResponse({"items": self._service.directory.log(identifier)})

    def _account(self, request: Request) -> Account:
        return self._known(request.path_params["id"], "account")

    def _known(self, identifier: str, what: str) -> Account:
        """Return an account.

        :raises Refused: 404.
        """
        account = self._service.accounts.get(identifier)
        if account is None:
            raise not_found(what)
        return account


async def _read(request: Request, model: Any) -> Any:
    """Read the body of a call.

    :raises Refused: it is none of this form.
    """
    return check(model, decoded(await read_body(request)))


def _check_api_fault(kind: str, details: dict[str, Any]) -> None:
    """See whether a fault of the API says what it must, and nothing else.

    :raises Refused: no.
    """
    status, retry_after = details.get("status"), details.get("retry_after")
    _check_names(kind, details, {"status", "retry_after"} if kind == "status" else set())
    if kind == "status" and (not isinstance(status, int) or status not in _ERRORS):
        raise invalid("status", f"expected {_ERRORS.start} to {_ERRORS.stop - 1}")
    if retry_after is not None and (
        not isinstance(retry_after, int) or not 0 <= retry_after <= _LONGEST_WAIT
    ):
        raise invalid("retry_after", f"expected 0 to {_LONGEST_WAIT}")


def _check_server_fault(kind: str, details: dict[str, Any]) -> None:
    """See whether a fault of a server of devices says what it may, and nothing else.

    :raises Refused: no.
    """
    _check_names(kind, details, {"code"} if kind == "refuse" else set())
    if "code" not in details:
        return
    try:
        read_code(details["code"])
    except (AttributeError, ValueError):  # what is no text is no code either
        raise invalid("code", "expected the code of an answer, for example 5.03") from None


def _check_names(kind: str, details: dict[str, Any], expected: set[str]) -> None:
    for name in details:
        if name not in expected:
            raise invalid(name, f"no detail of {kind}")


def _user_json(user: User, key: ApiKey) -> dict[str, str]:
    return {
        "id": user.id,
        "name": user.name,
        "group": user.group,
        "api_key": key.secret,
        "api_key_id": key.id,
    }


def _fault_json(fault: Fault) -> dict[str, Any]:
    return {
        **fault.details,
        "id": fault.id,
        "account": fault.account_id,
        "part": fault.part,
        "kind": fault.kind,
        "step": fault.step,
        "skip": fault.skip,
        "times": fault.left,
    }
