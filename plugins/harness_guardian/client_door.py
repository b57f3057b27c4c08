"""One door of the service as one user: every call of the client goes through here."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.backends.http import problem_text
from harness_guardian.client_models import Problem, Refused, problem_of

if TYPE_CHECKING:
    from collections.abc import Collection

    import httpx

    from harness.backends.http import ServiceHttp

BASE = "/api/v1"
"""Where the calls are (guardian fact sheet, section 10.5)."""


@dataclass(slots=True)
class Closing:
    """Tells who pauses between two questions that the client is being closed."""

    event: threading.Event = field(default_factory=threading.Event)

    def pause(self, seconds: float) -> bool:
        """Pause; return whether the client was closed meanwhile."""
        return self.event.wait(seconds)


class Door:
    """Calls of one user at one door, the cloud's or the appliance's."""

    def __init__(self, http: ServiceHttp, authorization: str | None) -> None:
        """Use connections that somebody else closes.

        :param authorization: header that says who asks; ``None``: nobody says.
        """
        self._connections = http
        self._http = http.with_headers({} if authorization is None else {"Authorization": authorization})

    def of(self, authorization: str | None) -> Door:
        """Return the same door as somebody else."""
        return Door(self._connections, authorization)

    def send(self, method: str, path: str, *, operation: str = "", **content: Any) -> httpx.Response:
        """Send a request and return the answer, whatever its status.

        :param path: below :data:`BASE`.
        :param content: as :meth:`~harness.backends.http.ServiceHttp.send` takes it.
        :raises BackendUnreachable: no answer.
        """
        return self._http.send(method, f"{BASE}{path}", operation=operation, **content)

    def request(
        self, method: str, path: str, *, operation: str, accept: Collection[int], **content: Any
    ) -> httpx.Response:
        """Send a request whose answer must have one of some statuses.

        :raises Refused: another status.
        :raises BackendUnreachable: no answer.
        """
        response = self.send(method, path, operation=operation, **content)
        if response.status_code not in accept:
            raise refusal(operation, response, self._http.terms.hints.get(response.status_code))
        return response


def refusal(operation: str, response: httpx.Response, hint: str | None = None) -> Refused:
    """Return the error that tells a refusal: what the service says of it, and what we know of it."""
    problem = problem_of(response)
    return Refused(operation, response.status_code, problem, _text(problem, response, hint))


def _text(problem: Problem, response: httpx.Response, hint: str | None) -> str:
    said = problem.detail or problem.title or problem_text(response)
    code = f"{problem.code}: " if problem.code else ""
    return f"{code}{said} ({hint})" if hint else f"{code}{said}"
