"""One user's door to the service: every call of the client goes through here. Lists are read page by page."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.backends.answers import parse_answer
from harness.backends.http import problem_text
from harness.errors import BackendFault
from harness_pelion.client_models import Page, PelionRefused, Row, problem_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import httpx

    from harness.backends.http import ServiceHttp

OK = frozenset({200})
CREATED = frozenset({200, 201})
NO_CONTENT = frozenset({200, 204})
GONE = frozenset({404, 410})
#: Rows of a page: between 2 and 1000 (pelion fact sheet, section 4).
PAGE_ROWS = 100


class Closing:
    """Tells who pauses between two questions that the client is being closed."""

    def __init__(self) -> None:
        """Be open."""
        self._event = threading.Event()

    def pause(self, seconds: float) -> bool:
        """Pause; return whether the client was closed meanwhile."""
        return self._event.wait(seconds)

    def close(self) -> None:
        """End every pause."""
        self._event.set()


class Door:
    """Calls with one key."""

    def __init__(self, http: ServiceHttp, key: str | None) -> None:
        """Use connections that somebody else closes.

        :param key: API key; ``None``: nobody says who asks.
        """
        self._http = http.with_headers({} if key is None else {"Authorization": f"Bearer {key}"})

    def send(self, method: str, path: str, *, operation: str = "", **content: Any) -> httpx.Response:
        """Send a request and return the answer, whatever its status.

        :param content: as :meth:`~harness.backends.http.ServiceHttp.send` takes it.
        :raises BackendUnreachable: no answer.
        """
        return self._http.send(method, path, operation=operation, **content)

    def request(
        self, method: str, path: str, *, operation: str, accept: Collection[int], **content: Any
    ) -> httpx.Response:
        """Send a request whose answer must have one of some statuses.

        :raises PelionRefused: another status.
        :raises BackendUnreachable: no answer.
        """
        response = self.send(method, path, operation=operation, **content)
        if response.status_code not in accept:
            raise refusal(operation, response, self._http.terms.hints.get(response.status_code))
        return response

    def page(
        self, path: str, row: type[Row], *, operation: str, params: Mapping[str, Any] | None = None
    ) -> Page[Row]:
        """Return one page of a list.

        :param params: as the service has them, for example ``limit``, ``after``, ``order``.
        :raises PelionRefused: the service does not want it.
        """
        response = self.request("GET", path, operation=operation, accept=OK, params=dict(params or {}))
        return parse_answer(Page[row], response, operation)  # type: ignore[valid-type]

    def rows(
        self, path: str, row: type[Row], *, operation: str, params: Mapping[str, Any] | None = None
    ) -> list[Row]:
        """Return all rows of a list, page by page.

        :param params: filters and order; ``limit`` is the size of a page.
        :raises PelionRefused: the service does not want it.
        :raises BackendFault: a page says that there are more and does not lead on.
        """
        wanted: dict[str, Any] = {"limit": PAGE_ROWS, **(params or {})}
        found: dict[str, Row] = {}
        while True:
            page = self.page(path, row, operation=operation, params=wanted)
            for each in page.data:
                found.setdefault(each.id, each)
            if not page.has_more:
                return list(found.values())
            last = page.data[-1].id if page.data else ""
            if last in {"", wanted.get("after")}:
                raise BackendFault(f"{operation}: a page says that there are more, and ends where it began")
            wanted["after"] = last


def filter_text(filters: Mapping[str, Any]) -> str:
    """Return the value of ``filter``: ``FIELD__OPERATOR=VALUE`` joined by ``&``, each value encoded.

    Whoever sends it encodes all of it once more (pelion fact sheet, section 4).

    :param filters: values by field or ``FIELD__OPERATOR``; ``None`` is left out.
    """
    return "&".join(
        f"{name.removesuffix('__eq')}={quote(str(value), safe='')}"
        for name, value in filters.items()
        if value is not None
    )


def refusal(operation: str, response: httpx.Response, hint: str | None = None) -> PelionRefused:
    """Return the error that tells a refusal: what the service says of it, and what we know of it."""
    problem = problem_of(response)
    said = problem.message or problem_text(response)
    wrong = "; ".join(f"{field.name}: {field.message}" for field in problem.fields)
    text = f"{problem.type}: {said}" if problem.type else said
    if wrong:
        text = f"{text} ({wrong})"
    return PelionRefused(operation, response, problem, f"{text} ({hint})" if hint else text)
