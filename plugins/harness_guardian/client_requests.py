"""What a client does with provisioning requests: submit, list, wait, approve, reject, provision, fetch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.backends.answers import parse_answer
from harness.backends.pacing import seconds_of
from harness.errors import BackendFault
from harness_guardian.client_models import (
    FINAL,
    SETTLED,
    BulkRecord,
    BulkResult,
    HistoryEntry,
    HistoryRecord,
    RequestRow,
    RowPage,
    SubmittedRequest,
)
from harness_guardian.enums import Action, Status

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import httpx

    from harness_guardian.client_door import Closing, Door

REQUESTS = "/provisioning-requests"
JWS = "application/guardian-pr+jws"
COSE = "application/guardian-pr+cose"
WAIT_SECONDS = 15.0
"""How long to wait for a state unless told otherwise."""

LONGEST_WAIT = 10.0
"""Seconds for which one question is left open; below every read deadline."""

PAUSE_SECONDS = 0.2
"""Between two questions of a service that neither leaves one open nor says when to ask again."""

_OK, _CREATED, _ACCEPTED, _NOT_MODIFIED = 200, 201, 202, 304
_DONE = frozenset({_OK, _CREATED, _ACCEPTED})
"""What may mean success; which of them means what, is not known of a service that is no fake of ours."""

_JSON_BEGINS = b"{"
_MOST_PAGES = 1000


class RequestCalls:
    """The part of the client that is about provisioning requests."""

    door: Door
    closing: Closing

    def submit(
        self, content: bytes, *, media_type: str | None = None, as_form: bool = False
    ) -> SubmittedRequest:
        """Submit a provisioning request as this client's user.

        :param content: the request, as a board made it.
        :param media_type: by default that of what the content looks like.
        :param as_form: send it as the file of a form, as a browser does.
        :raises Refused: the service does not take it.
        """
        operation = "SubmitProvisioningRequest"
        kind = media_type or (JWS if content.lstrip()[:1] == _JSON_BEGINS else COSE)
        sent: dict[str, Any]
        if as_form:
            sent = {"files": {"file": ("request.mcpr", content, kind)}}
        else:
            sent = {"content": content, "headers": {"Content-Type": kind}}
        response = self.door.request("POST", REQUESTS, operation=operation, accept=_DONE, **sent)
        record = parse_answer(SubmittedRequest, response, operation)
        told = {
            "created": response.status_code != _OK,
            "location": response.headers.get("Location", ""),
            "retry_after": seconds_of(response.headers.get("Retry-After")),
        }
        return record.model_copy(update=told)

    def request(self, request_id: str) -> RequestRow:
        """Return a request.

        :raises Refused: there is none that this user may see.
        """
        return self._read(request_id)[0]

    def _read(self, request_id: str) -> tuple[RequestRow, str]:
        operation = "GetProvisioningRequest"
        response = self.door.request("GET", _path_of(request_id), operation=operation, accept={_OK})
        return parse_answer(RequestRow, response, operation), response.headers.get("ETag", "")

    def history(self, request_id: str) -> list[HistoryEntry]:
        """Return the states that a request passed, oldest first."""
        operation = "GetProvisioningRequestHistory"
        path = f"{_path_of(request_id)}/history"
        response = self.door.request("GET", path, operation=operation, accept={_OK})
        return list(parse_answer(HistoryRecord, response, operation).items)

    # Waiting ---------------------------------------------------------------------------------------------

    def wait_for(self, request_id: str, *statuses: Status, timeout: float = WAIT_SECONDS) -> RequestRow:
        """Wait until a request is in one of some states.

        :param timeout: seconds.
        :raises BackendFault: it is in none of them in time, or is final and will never be.
        """
        row = self._wait(request_id, FINAL.union(statuses), _names(statuses), timeout)
        if row.status not in statuses:
            raise self._not_reached(row, _names(statuses), "it is final")
        return row

    def wait_until_settled(self, request_id: str, timeout: float = WAIT_SECONDS) -> RequestRow:
        """Wait until a request is in a state that it does not leave by itself: final, or waiting for a user.

        :raises BackendFault: it is not in time.
        """
        return self._wait(request_id, SETTLED, "a settled state", timeout)

    def wait_until_final(self, request_id: str, timeout: float = WAIT_SECONDS) -> RequestRow:
        """Wait until a request is in a state that it never leaves.

        :raises BackendFault: it is not in time.
        """
        return self._wait(request_id, FINAL, "a final state", timeout)

    def _wait(self, request_id: str, wanted: Collection[Status], what: str, timeout: float) -> RequestRow:
        """Ask until the state is a wanted one; a service that can keeps each question open until it changes.

        A service that keeps none open (RFC 7240: it may ignore ``Prefer``) is asked again when it says so.
        """
        deadline = time.monotonic() + timeout
        row, tag = self._read(request_id)
        while row.status not in wanted:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._not_reached(row, what, f"not within {timeout:g} s")
            asked, before = time.monotonic(), row.version
            response = self._ask_when_changed(request_id, tag, left)
            if response.status_code == _OK:
                row = parse_answer(RequestRow, response, "GetProvisioningRequest")
                tag = response.headers.get("ETag", "")
            nothing_new = row.version == before
            if nothing_new and self._pause(response, asked, deadline):
                raise self._not_reached(row, what, "the client was closed")
        return row

    def _pause(self, response: httpx.Response, asked: float, deadline: float) -> bool:
        """Pause before the next question, unless the service kept this one open for long enough.

        :param asked: when the question was asked.
        :return: whether the client was closed meanwhile.
        """
        told = seconds_of(response.headers.get("Retry-After"))
        now = time.monotonic()
        rest = asked + (PAUSE_SECONDS if told is None else told) - now
        return self.closing.pause(max(0.0, min(rest, deadline - now)))

    def _ask_when_changed(self, request_id: str, tag: str, seconds: float) -> httpx.Response:
        headers = {"Prefer": _wait(seconds)}
        if tag:
            headers["If-None-Match"] = tag
        return self.door.request(
            "GET",
            _path_of(request_id),
            operation="GetProvisioningRequest",
            accept={_OK, _NOT_MODIFIED},
            headers=headers,
        )

    def _not_reached(self, row: RequestRow, wanted: str, why: str) -> BackendFault:
        passed = " -> ".join(entry.text for entry in self.history(row.id)) or "none"
        return BackendFault(
            f"request {row.id} was to come to {wanted}: {why}; it is {row.status.value}"
            f"{f' ({row.error_code.value})' if row.error_code else ''}; passed: {passed}"
        )

    # What an administrator does --------------------------------------------------------------------------

    def approve(self, request_id: str) -> RequestRow:
        """Approve a request that needs approval."""
        return self._act(request_id, Action.APPROVE)

    def reject(self, request_id: str) -> RequestRow:
        """Reject a request that needs approval."""
        return self._act(request_id, Action.REJECT)

    def provision(self, request_id: str) -> RequestRow:
        """Provision the device of a request that was approved."""
        return self._act(request_id, Action.PROVISION)

    def _act(self, request_id: str, action: Action) -> RequestRow:
        self._must_be_ours(request_id)
        operation = f"{action.value.capitalize()}ProvisioningRequest"
        path = f"{_path_of(request_id)}/{action.value}"
        response = self.door.request("POST", path, operation=operation, accept=_DONE)
        return parse_answer(RequestRow, response, operation)

    def _must_be_ours(self, request_id: str) -> None:
        """Refuse to act on a request of a system that was not made here; see the client."""

    def bulk(
        self,
        action: Action | str,
        *,
        ids: Sequence[str] | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the API's own name
    ) -> list[BulkResult]:
        """Do the same with several requests.

        :param ids: of the requests.
        :param filter: instead of ids: the parameters of the list.
        :raises Refused: the call as a whole is refused.
        """
        operation = "BulkProvisioningRequests"
        body: dict[str, Any] = {"action": Action(action).value}
        if ids is not None:
            body["ids"] = list(ids)
        if filter is not None:
            body["filter"] = dict(filter)
        self._must_all_be_ours(ids or (), filter)
        response = self.door.request("POST", f"{REQUESTS}/bulk", operation=operation, accept={_OK}, json=body)
        return list(parse_answer(BulkRecord, response, operation).results)

    def _must_all_be_ours(self, ids: Sequence[str], filter_: Mapping[str, Any] | None) -> None:
        """Refuse to act on requests of systems that were not made here; see the client."""

    # Lists and profiles ----------------------------------------------------------------------------------

    def rows(self, system: str, **filters: Any) -> list[RequestRow]:
        """Return a system's requests, all pages of them.

        :param filters: as the API names them: ``system_instance``, ``component`` and ``status`` (one or
            several values), ``hw_id``, ``view`` (``current`` or ``history``), ``provisioned_from`` and
            ``provisioned_to`` (dates), ``limit`` (of a page).
        :raises Refused: this user may not, or a filter does not fit.
        :raises BackendFault: the pages never end.
        """
        rows: list[RequestRow] = []
        parameters: dict[str, Any] = {"system": system, **_texts(filters)}
        for _page in range(_MOST_PAGES):
            page = self.page(**parameters)
            rows += page.items
            if page.next is None:
                return rows
            parameters["after"] = page.next
        raise BackendFault(f"the list of the requests of {system} has no end after {_MOST_PAGES} pages")

    def page(self, **parameters: Any) -> RowPage:
        """Return one page of a list; see :meth:`rows`."""
        operation = "ListProvisioningRequests"
        response = self.door.request(
            "GET", REQUESTS, operation=operation, accept={_OK}, params=_texts(parameters)
        )
        return parse_answer(RowPage, response, operation)

    def certified_profile(self, request_id: str, timeout: float = WAIT_SECONDS) -> str:
        """Return the certified profile of a request, as soon as it is there.

        :param timeout: seconds.
        :raises Refused: there is none, and none will come.
        :raises BackendFault: there is none in time.
        """
        operation = "GetCertifiedProfile"
        deadline = time.monotonic() + timeout
        while True:
            asked = time.monotonic()
            left = max(0.0, deadline - asked)
            response = self.door.request(
                "GET",
                f"{_path_of(request_id)}/certified-profile",
                operation=operation,
                accept={_OK, _ACCEPTED},
                headers={"Prefer": _wait(left)},
            )
            if response.status_code == _OK:
                return response.text
            row = self.request(request_id)
            if left <= 0:
                raise self._not_reached(row, "a certified profile", f"not within {timeout:g} s")
            if self._pause(response, asked, deadline):
                raise self._not_reached(row, "a certified profile", "the client was closed")

    def report_installed(self, request_id: str) -> None:
        """Say that a profile is installed; a system with ``complete_on_install`` waits for that.

        :raises Refused: there is no such request, or no certified profile of it.
        """
        path = f"{_path_of(request_id)}/installed"
        self.door.request("POST", path, operation="ReportInstalled", accept={204})


def assert_passed(history: Sequence[HistoryEntry], states: Sequence[Status]) -> None:
    """Assert that a request passed some states in this order, whatever it passed in between."""
    passed = [entry.status for entry in history]
    rest = iter(passed)
    missing = [state.value for state in states if state not in rest]
    if missing:
        shown = ", ".join(state.value for state in passed)
        raise AssertionError(f"not passed, or not in this order: {', '.join(missing)}; passed: {shown}")


def _path_of(request_id: str) -> str:
    """Return the path of a request; an id that somebody typed may have anything in it."""
    return f"{REQUESTS}/{quote(request_id, safe='')}"


def _wait(seconds: float) -> str:
    """Return the wish to be answered when something changed, or after some seconds (RFC 7240: whole ones)."""
    return f"wait={max(1, round(min(seconds, LONGEST_WAIT)))}"


def _names(statuses: Collection[Status]) -> str:
    return " or ".join(status.value for status in statuses)


def _texts(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as httpx takes them: what is not given is left out."""
    return {name: value for name, value in filters.items() if value is not None}
