"""How a call comes to what it calls: who asks, what a test ordered instead, the id of the request."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from harness_pelion.enums import ErrorType
from harness_pelion.fake.answers import REQUEST_ID, error, ordered_error
from harness_pelion.fake.faults import API
from harness_pelion.fake.records import ACTIVE
from harness_pelion.fake.refusals import Refused, bad_key, denied, no_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from harness_pelion.fake.faults import Fault, Faults
    from harness_pelion.fake.records import Account, ApiKey
    from harness_pelion.fake.service import PelionService

    Call = Callable[[Request, "Caller"], Awaitable[Response]]
    Calls = Mapping[str, Mapping[str, Call]]

HANG_UP = "harness.hang_up"

_ENROLLING = "ENROLLING"
_GARBAGE = b'{"object": "list", "data": ['


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks.

    :ivar key: by which they ask.
    """

    account: Account
    key: ApiKey


def new_request_id() -> str:
    """Return an id for a request: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def hang_up(request: Request) -> None:
    """Close the connection, so that there is no answer."""
    call = request.scope.get("extensions", {}).get(HANG_UP)
    if call is not None:
        call()


class Doors:
    """Makes routes of calls."""

    def __init__(self, service: PelionService, faults: Faults) -> None:
        """Guard a service.

        :param faults: that strike its callers.
        """
        self._service = service
        self._faults = faults

    def routes(self, calls: Calls) -> list[Route]:
        """Return the routes of calls.

        :param calls: by their paths as they are documented, with or without a slash at the end, and by their
            methods.
        """
        made: list[Route] = []
        for path, methods in calls.items():
            spellings = [path]
            if self._service.choices.both_spellings:
                spellings.append(path.removesuffix("/") if path.endswith("/") else f"{path}/")
            endpoint = self._endpoint(path.removesuffix("/"), methods)
            made += [Route(spelling, endpoint, methods=list(methods)) for spelling in spellings]
        return made

    def _endpoint(self, path: str, methods: Mapping[str, Call]) -> Callable[[Request], Awaitable[Response]]:
        for method in methods:
            self._faults.served(f"{method} {path}")

        async def answer(request: Request) -> Response:
            request_id = new_request_id()
            method = "GET" if request.method == "HEAD" else request.method
            try:
                caller = self._caller(request)
                fault = self._faults.next(API, caller.account.id, f"{method} {path}")
                if fault is None:
                    response = await methods[method](request, caller)
                else:
                    response = await _strike(fault, request, methods[method], caller)
            except Refused as refused:
                return error(refused, request_id, self._service.choices)
            response.headers[REQUEST_ID] = request_id
            return response

        return answer

    def _caller(self, request: Request) -> Caller:
        """Find out who asks (pelion fact sheet, section 4: ``Authorization: Bearer KEY``).

        :raises Refused: nobody who may.
        """
        scheme, _space, secret = request.headers.get("authorization", "").partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret or " " in secret:
            raise no_key("expected the header Authorization: Bearer, with an API key")
        found = self._service.accounts.by_key(secret)
        if found is None:
            raise bad_key()
        account, key = found
        if account.status not in {ACTIVE, _ENROLLING}:
            raise denied("the account is not active")
        return Caller(account=account, key=key)


async def _strike(fault: Fault, request: Request, call: Call, caller: Caller) -> Response:
    """Do what a test ordered instead of answering rightly.

    :raises Refused: that is what was ordered.
    """
    details: Mapping[str, Any] = fault.details
    if fault.kind == "status":
        raise ordered_error(details["status"], details.get("retry_after"))
    if fault.kind == "hang_up":
        hang_up(request)
        raise Refused(503, ErrorType.SYSTEM_UNAVAILABLE, "a test ordered no answer")
    response = await call(request, caller)
    if fault.kind == "answer_lost":
        hang_up(request)
        return response
    return Response(_GARBAGE, status_code=response.status_code, media_type="application/json")
