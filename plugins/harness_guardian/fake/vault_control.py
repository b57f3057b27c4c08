"""What the session may do to the Vault behind the fake, when it is ours: faults, its log, certificates.

The Vault itself is handed in by whoever composes both: nothing here knows how it works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import Field
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness_guardian.fake.answers import bad_request, parse_json, read_body
from harness_guardian.fake.control import ControlBody, Name, Times
from harness_guardian.fake.refusals import not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

    from harness_guardian.fake.records import System
    from harness_guardian.fake.service import GuardianService


class VaultFaults(Protocol):
    """Faults that a Vault of ours can be ordered to have."""

    def order(  # noqa: PLR0913 - a keyword for each thing that can be ordered
        self,
        *,
        concerns: Callable[[str], bool],
        call: str,
        kind: str,
        serial: str | None,
        status: int | None,
        errors: tuple[str, ...] | None,
        seconds: float,
        times: int | None,
        orderer: str,
    ) -> str:
        """Order a fault and return its id.

        :param concerns: tells of the id of a system in Vault's paths whether the fault is meant for it.
        :param orderer: the organisation whose test orders it.
        :raises ValueError: it makes no sense.
        """

    def remove(self, identifier: str) -> bool:
        """Take a fault back, and tell whether it was there."""

    def remove_all_of(self, orderer: str) -> int:
        """Take back what an organisation's tests ordered."""


class OwnVault(Protocol):
    """A Vault of ours, as the control socket uses it; a system is the id in Vault's paths."""

    @property
    def faults(self) -> VaultFaults:
        """What is broken on purpose."""

    def calls_of(self, system: str) -> Sequence[dict[str, Any]]:
        """Return the calls for a system, oldest first, as plain data."""

    def forget_certificate(self, system: str, serial: str) -> bool:
        """Know a certificate no more, and tell whether it was known."""

    def revoke_certificate(self, system: str, serial: str) -> bool:
        """Revoke a certificate, and tell whether it is known."""


class VaultFaultBody(ControlBody):
    """``POST /vault/faults``: what is to go wrong, for whom, and how often."""

    organisation: Name
    system: Name | None = None
    call: str
    serial: str | None = None
    kind: str
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    errors: list[str] | None = None
    seconds: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] | None = None
    times: Times | None = None


class VaultControl:
    """The routes of the control socket that are about Vault."""

    def __init__(self, service: GuardianService, vault: OwnVault) -> None:
        """Control a Vault of ours behind a service."""
        self._service = service
        self._vault = vault

    @property
    def routes(self) -> list[Route]:
        """All routes."""
        certificate = "/vault/certificates/{serial}"
        return [
            Route("/vault/faults", self.order_fault, methods=["POST"]),
            Route("/vault/faults/{identifier}", self.remove_fault, methods=["DELETE"]),
            Route("/vault/log", self.log, methods=["GET"]),
            Route(certificate, self.forget, methods=["DELETE"]),
            Route(f"{certificate}/revoke", self.revoke, methods=["POST"]),
        ]

    def withdraw_orders(self, organisation: str) -> None:
        """End what an organisation's tests ordered."""
        self._vault.faults.remove_all_of(organisation)

    async def order_fault(self, request: Request) -> Response:
        """Let something go wrong for a system, or for all of an organisation's."""
        body = parse_json(VaultFaultBody, await read_body(request))
        organisation = self._service.organisation(body.organisation)
        if body.system is not None and body.system not in organisation.systems:
            raise not_found(f"there is no system {body.system!r}")

        def concerns(vault_id: str) -> bool:
            return any(
                system.vault_id == vault_id and body.system in {None, system.name}
                for system in organisation.systems.values()
            )

        try:
            identifier = self._vault.faults.order(
                concerns=concerns,
                call=body.call,
                kind=body.kind,
                serial=body.serial,
                status=body.status,
                errors=tuple(body.errors) if body.errors else None,
                seconds=body.seconds or 0.0,
                times=body.times,
                orderer=organisation.name,
            )
        except ValueError as error:
            raise bad_request(str(error)) from error
        return JSONResponse({"id": identifier}, status_code=201)

    async def remove_fault(self, request: Request) -> Response:
        """Take a fault back."""
        identifier = request.path_params["identifier"]
        if not self._vault.faults.remove(identifier):
            raise not_found(f"there is no fault {identifier!r}")
        return Response(status_code=204)

    async def log(self, request: Request) -> Response:
        """Tell what was asked of Vault for a system; a call that was never answered has the status 0."""
        calls = self._vault.calls_of(self._system(request).vault_id)
        return JSONResponse({"items": [{**call, "status": call["status"] or 0} for call in calls]})

    async def forget(self, request: Request) -> Response:
        """Let Vault know a certificate no more."""
        system, serial = self._system(request), request.path_params["serial"]
        if not self._vault.forget_certificate(system.vault_id, serial):
            raise not_found(f"Vault has no certificate {serial!r} of this system")
        return Response(status_code=204)

    async def revoke(self, request: Request) -> Response:
        """Revoke a certificate behind the service's back."""
        system, serial = self._system(request), request.path_params["serial"]
        if not self._vault.revoke_certificate(system.vault_id, serial):
            raise not_found(f"Vault has no certificate {serial!r} of this system")
        return Response(status_code=204)

    def _system(self, request: Request) -> System:
        name = request.query_params.get("system", "")
        if not name:
            raise bad_request("system: expected the name of a system")
        return self._service.system_of_anybody(name)
