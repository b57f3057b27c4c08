"""Answers that the service is ordered to give instead of its own: 429, 503 and the like, for a while.

They strike whoever is known to belong to the organisation that ordered them: a user by the token, a device by
the nonce of its request. A device that submits is nobody's before it is read, so it is never struck.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.routing import Route

from harness_guardian.fake.answers import problem
from harness_guardian.fake.authentication import says_who, who_asks
from harness_guardian.fake.refusals import Refused, not_found

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.responses import Response

    from harness_guardian.enums import ProvisionSource
    from harness_guardian.fake.service import GuardianService

_TITLES = {429: "Too many requests", 503: "Not available now"}


@dataclass(slots=True, kw_only=True)
class DoorFault:
    """One answer that was ordered.

    :ivar retry_after: seconds that the answer says to wait; ``None``: it says nothing.
    :ivar left: how often it will be given yet.
    """

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    organisation: str
    status: int
    retry_after: int | None
    left: int


class DoorFaults:
    """What is ordered now, for all organisations."""

    def __init__(self) -> None:
        """Begin without any."""
        self._ordered: dict[str, DoorFault] = {}

    def order(self, fault: DoorFault) -> None:
        """Let an answer wait for its calls."""
        self._ordered[fault.id] = fault

    def remove(self, identifier: str) -> None:
        """Take one back.

        :raises Refused: 404.
        """
        if self._ordered.pop(identifier, None) is None:
            raise not_found(f"there is no fault {identifier!r}")

    def remove_all_of(self, organisation: str) -> None:
        """Take back what was ordered for an organisation."""
        for fault in [each for each in self._ordered.values() if each.organisation == organisation]:
            del self._ordered[fault.id]

    def strike(self, organisation: str) -> DoorFault | None:
        """Return what a call of an organisation is answered with, if anything, and count it."""
        for fault in self._ordered.values():
            if fault.organisation == organisation:
                fault.left -= 1
                if fault.left <= 0:
                    del self._ordered[fault.id]
                return fault
        return None

    def before(self, routes: Iterable[Route], service: GuardianService, door: ProvisionSource) -> list[Route]:
        """Return routes whose calls meet these faults first."""
        return [self._guarded(route, service, door) for route in routes]

    def _guarded(self, route: Route, service: GuardianService, door: ProvisionSource) -> Route:
        async def answer(request: Request) -> Response:
            if self._ordered and says_who(request):
                identifier = request.path_params.get("identifier")
                organisation = who_asks(service, request, door, identifier)
                fault = None if organisation is None else self.strike(organisation)
                if fault is not None:
                    return _answer(fault, request)
            return await route.endpoint(request)  # type: ignore[no-any-return]  # starlette says Any

        methods = sorted(route.methods or ())
        return Route(route.path, answer, methods=methods, name=route.name)


def _answer(fault: DoorFault, request: Request) -> Response:
    title = _TITLES.get(fault.status, "Ordered by a test")
    refused = Refused(fault.status, "ordered", title, "a test ordered this answer")
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return problem(refused, request.url.path, headers=headers)
