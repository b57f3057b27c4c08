"""What every group of a team's calls shares: who asks, what its role lets it do, and the fault in its way.

Roles: nrfcloud fact sheet, sections 2.1 and 2.6.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from harness_nordic.enums import FaultPlace, Role
from harness_nordic.fake.damage import Target, answer_of, damaged, struck
from harness_nordic.fake.refusals import NotAllowed, NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from harness_nordic.fake.faults import Fault
    from harness_nordic.fake.records import Member
    from harness_nordic.fake.service import ProvisioningService

    Work = Callable[[Request], Awaitable[Response]]

_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_READING = frozenset({"GET", "HEAD"})


def bearer_of(request: Request) -> str:
    """Return what stands behind ``Bearer`` in the header ``Authorization``.

    :raises NotAuthenticated: nothing does.
    """
    match = _BEARER.fullmatch(request.headers.get("authorization", "").strip())
    if match is None:
        raise NotAuthenticated("Unauthorized")
    return match[1]


class TeamCalls:
    """A group of calls that the members of a team make with their keys."""

    def __init__(self, service: ProvisioningService) -> None:
        """Serve what a service decides."""
        self._service = service
        self._choices = service.choices

    def _route(self, method: str, path: str, work: Work) -> Route:
        """Route a call, through the fault that may wait for it."""

        async def answer(request: Request) -> Response:
            if not self._service.faults.any:
                return await work(request)
            device_id = request.path_params.get("device_id")
            owner_id = self._service.owner_of_key(bearer_of(request))
            target = Target(place=FaultPlace.MANAGEMENT, device=device_id, owner=owner_id)

            async def answered(fault: Fault | None) -> Response:
                response = await work(request)
                if fault is not None and response.body:
                    self._service.faults.strike(fault, device=device_id, owner=owner_id)
                    body = damaged(bytes(response.body), fault.kind)
                    return Response(body, response.status_code, media_type=response.media_type)
                return response

            response, _fault = await struck(self._service.faults, target, answered, answer_of)
            return response

        return Route(path, answer, methods=[method])

    def _member(self, request: Request) -> Member:
        """Find out who asks, and whether their role lets them.

        :raises NotAuthenticated: nobody has this key.
        :raises NotAllowed: a viewer wants to change something.
        """
        member = self._service.member(bearer_of(request))
        if member.role is Role.VIEWER and request.method not in _READING:
            raise NotAllowed("a viewer may read and nothing else")
        return member
