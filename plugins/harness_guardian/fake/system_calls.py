"""The calls about systems, their instances and signer keys: an Admin's alone (guardian fact sheet, 10.5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness_guardian.fake import refusals
from harness_guardian.fake.answers import JSON, bad_request, media_type, read_body
from harness_guardian.fake.authentication import admin_of
from harness_guardian.fake.request_calls import BASE
from harness_guardian.fake.system_view import instance_json, signer_key_json, system_json

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_guardian.fake.records import System, User
    from harness_guardian.fake.service import GuardianService

SYSTEMS = f"{BASE}/systems"
_ONE = f"{SYSTEMS}/{{name}}"


class SystemCalls:
    """Calls about systems; the same at both doors."""

    def __init__(self, service: GuardianService) -> None:
        """Serve what the service decides."""
        self._service = service
        self._made = service.choices.made

    @property
    def routes(self) -> list[Route]:
        """All routes."""
        return [
            Route(SYSTEMS, self.show, methods=["GET"]),
            Route(SYSTEMS, self.create, methods=["POST"]),
            Route(_ONE, self.read, methods=["GET"]),
            Route(_ONE, self.change, methods=["PATCH"]),
            Route(_ONE, self.delete, methods=["DELETE"]),
            Route(f"{_ONE}/instances", self.instances, methods=["GET"]),
            Route(f"{_ONE}/instances", self.add_instance, methods=["POST"]),
            Route(f"{_ONE}/signer-keys", self.signer_keys, methods=["GET"]),
            Route(f"{_ONE}/signer-keys", self.put_signer_key, methods=["POST"]),
            Route(f"{_ONE}/signer-keys/{{kid}}", self.change_signer_key, methods=["PATCH"]),
        ]

    async def show(self, request: Request) -> Response:
        """Tell which systems there are, by name."""
        user = admin_of(self._service, request, "see system definitions")
        systems = self._service.systems(user)
        return JSONResponse({"items": [system_json(system) for system in systems], "total": len(systems)})

    async def create(self, request: Request) -> Response:
        """Make a system."""
        user = admin_of(self._service, request, "make a system")
        system = await self._service.create_system(user, await _read_object(request))
        location = f"{SYSTEMS}/{quote(system.name, safe='')}"
        return JSONResponse(system_json(system), status_code=self._made, headers={"Location": location})

    async def read(self, request: Request) -> Response:
        """Tell how a system is defined."""
        _user, system = self._asked_about(request, "see system definitions")
        return JSONResponse(system_json(system))

    async def change(self, request: Request) -> Response:
        """Change how a system is defined."""
        user, system = self._asked_about(request, "change a system")
        changed = await self._service.change_system(user, system.name, await _read_object(request))
        return JSONResponse(system_json(changed))

    async def delete(self, request: Request) -> Response:
        """Delete a system, so that whoever made it leaves nothing behind."""
        user, system = self._asked_about(request, "delete a system")
        await self._service.delete_system(user, system.name)
        return Response(status_code=204)

    async def instances(self, request: Request) -> Response:
        """Tell which instances a system has."""
        _user, system = self._asked_about(request, "see system definitions")
        items = [instance_json(instance) for instance in system.instances.values()]
        return JSONResponse({"items": items, "total": len(items)})

    async def add_instance(self, request: Request) -> Response:
        """Make an instance of a system."""
        user, system = self._asked_about(request, "add an instance")
        made = self._service.add_instance(user, system.name, await _read_object(request))
        return JSONResponse(instance_json(made), status_code=self._made)

    async def signer_keys(self, request: Request) -> Response:
        """Tell which keys may sign initial provisioning requests of a system."""
        _user, system = self._asked_about(request, "see system definitions")
        items = [signer_key_json(key) for key in system.signer_keys.values()]
        return JSONResponse({"items": items, "total": len(items)})

    async def put_signer_key(self, request: Request) -> Response:
        """Register the key of a provisioning package, or change the state of a registered one."""
        user, system = self._asked_about(request, "register a signer key")
        return self._put_signer_key(user, system, await _read_object(request))

    async def change_signer_key(self, request: Request) -> Response:
        """Change the state of a registered key."""
        user, system = self._asked_about(request, "register a signer key")
        changes = await _read_object(request)
        kid = request.path_params["kid"]
        if kid not in system.signer_keys:
            raise refusals.not_found(f"the system {system.name!r} has no signer key {kid!r}")
        if changes.get("kid", kid) != kid:
            raise refusals.not_valid("kid: a key cannot become another one")
        return self._put_signer_key(user, system, {**changes, "kid": kid})

    def _put_signer_key(self, user: User, system: System, key: dict[str, Any]) -> Response:
        registered, made = self._service.put_signer_key(user, system.name, key)
        return JSONResponse(signer_key_json(registered), status_code=self._made if made else 200)

    def _asked_about(self, request: Request, what: str) -> tuple[User, System]:
        """Return who asks and about which system; an Admin alone may.

        :param what: they may.
        """
        user = admin_of(self._service, request, what)
        return user, self._service.system(user, request.path_params["name"])


async def _read_object(request: Request) -> dict[str, Any]:
    """Read a JSON object; what is in it the service judges.

    :raises Refused: it is too long, not said to be JSON, or no JSON object.
    """
    kind = media_type(request)
    if kind != JSON:
        raise refusals.media_type_unknown(f"{kind or 'none'}; expected {JSON}")
    try:
        body = json.loads(await read_body(request), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise bad_request("the body is not JSON") from error
    if not isinstance(body, dict):
        raise bad_request("the body is no JSON object")
    return body


def _no_number(text: str) -> float:
    raise ValueError(text)  # NaN and Infinity are Python's, not JSON's
