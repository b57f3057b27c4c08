"""The calls about provisioning requests (guardian fact sheet, section 10.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from pydantic import Field
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness_guardian.enums import Action, Role
from harness_guardian.fake import refusals
from harness_guardian.fake.answers import (
    StrictBody,
    bad_request,
    media_type,
    problem_json,
    read_body,
    read_json,
)
from harness_guardian.fake.authentication import reader_of, uploader_of, user_of
from harness_guardian.fake.filtering import rows
from harness_guardian.fake.paging import page_of, read_wish
from harness_guardian.fake.queries import FILTERS, filter_fields, one_of, parameters_of, read_filter
from harness_guardian.fake.row_view import history_json, passed_json, row_json
from harness_guardian.fake.uploads import FORM, LARGEST_FORM, read_upload
from harness_guardian.fake.waiting import knows, preferred_wait, version_tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from harness_guardian.enums import ProvisionSource
    from harness_guardian.fake.bulk import BulkResult
    from harness_guardian.fake.filtering import Filter
    from harness_guardian.fake.records import ProvisioningRequest, User
    from harness_guardian.fake.service import GuardianService

BASE = "/api/v1"
REQUESTS = f"{BASE}/provisioning-requests"
_ONE = f"{REQUESTS}/{{identifier}}"

ActionName = Annotated[Action, Field(strict=False)]


class BulkBody(StrictBody):
    """``POST /provisioning-requests/bulk``: what to do, and with which."""

    action: ActionName
    ids: list[str] | None = None
    filter: dict[str, Any] | None = None


class RequestCalls:
    """Calls at one door of the service."""

    def __init__(self, service: GuardianService, door: ProvisionSource) -> None:
        """Serve what the service decides.

        :param door: the Guardian that is asked: cloud or appliance.
        """
        self._service = service
        self._door = door
        self._choices = service.choices

    @property
    def routes(self) -> list[Route]:
        """All routes."""
        return [
            Route(REQUESTS, self.submit, methods=["POST"]),
            Route(REQUESTS, self.show, methods=["GET"]),
            Route(f"{REQUESTS}/bulk", self.bulk, methods=["POST"]),
            Route(_ONE, self.read, methods=["GET"]),
            Route(f"{_ONE}/history", self.history, methods=["GET"]),
            Route(f"{_ONE}/certified-profile", self.certified_profile, methods=["GET"]),
            Route(f"{_ONE}/installed", self.installed, methods=["POST"]),
            *(
                Route(f"{_ONE}/{action.value}", self._acting(action), methods=["POST"], name=action.value)
                for action in Action
            ),
        ]

    async def submit(self, request: Request) -> Response:
        """Take a provisioning request in: the body, or the field ``file`` of a form."""
        uploader = uploader_of(self._service, request)
        kind = media_type(request)
        if kind == FORM:
            content, kind = await read_upload(request, await read_body(request, LARGEST_FORM))
        else:
            content = await read_body(request)
        submission = await self._service.submit(content, kind, self._door, uploader)
        taken = submission.request
        status = self._choices.submitted if submission.created else self._choices.submitted_again
        return JSONResponse(
            {"request_id": taken.id, "status": taken.status.value},
            status_code=status,
            headers={"Location": f"{REQUESTS}/{quote(taken.id, safe='')}", **self._retry_after()},
        )

    async def show(self, request: Request) -> Response:
        """Tell which requests there are, in pages."""
        user = user_of(self._service, request)
        parameters = parameters_of(request, FILTERS | {"limit", "after"})
        wanted = read_filter(parameters)
        wish = read_wish(one_of(parameters, "limit"), one_of(parameters, "after"), self._choices)
        found = list(rows(wanted, self._seen(user, wanted), all_passed=self._choices.passed_rows_all))
        page = page_of(
            found,
            lambda row: (row.request.number, row.index),
            wish,
            newest_first=self._choices.newest_first,
        )
        items = [
            passed_json(row, self._service.actions(user, self._door, row.request), self._choices)
            for row in page.items
        ]
        return JSONResponse({"items": items, "total": page.total, "next": page.next})

    async def read(self, request: Request) -> Response:
        """Tell what is known of a request, at once or as soon as it is no longer what somebody knows."""
        found, user = self._asked_about(request)
        if knows(request, found.version) and self._choices.version_tags:
            seconds = preferred_wait(request, self._choices)
            if seconds is None:
                return self._unchanged(found)
            if not await self._service.wait_for_change(found, found.version, seconds):
                return self._unchanged(found)
            found, user = self._asked_about(request)  # it may be gone, or the user be no user any more
        headers = {"ETag": version_tag(found.version)} if self._choices.version_tags else {}
        return JSONResponse(self._row(found, user), headers=headers)

    async def history(self, request: Request) -> Response:
        """Tell what a request has passed."""
        found, _user = self._asked_about(request)
        return JSONResponse({"items": history_json(found.history, self._choices)})

    def _acting(self, action: Action) -> Any:
        """Return what approves, rejects or provisions one request."""

        async def act(request: Request) -> Response:
            user = user_of(self._service, request)
            found = self._service.request_for(user, self._door, request.path_params["identifier"])
            self._service.act(user, self._door, found, action)
            return JSONResponse(self._row(found, user), status_code=self._choices.ordered)

        return act

    async def bulk(self, request: Request) -> Response:
        """Approve, reject or provision several requests; each has a result of its own."""
        user = user_of(self._service, request)
        body = await read_json(request, BulkBody)
        if (body.ids is None) == (body.filter is None):
            raise bad_request("expected either ids or filter")
        if body.ids is not None:
            results = self._service.bulk_by_ids(user, self._door, body.action, body.ids)
        else:
            wanted = read_filter(filter_fields(body.filter or {}))
            results = self._service.bulk(
                user, self._door, body.action, self._waiting_for(user, body.action, wanted)
            )
        return JSONResponse({"results": [self._result(result) for result in results]})

    async def certified_profile(self, request: Request) -> Response:
        """Hand out a certified profile, at once or as soon as it is there."""
        found, user = self._asked_about(request)
        if user is not None and user.role is Role.REPORTER:
            raise refusals.role_too_low("a Reporter downloads no certified profiles")
        seconds = preferred_wait(request, self._choices)
        if seconds is not None:
            await self._service.wait_until_final(found, seconds)
            found, _user = self._asked_about(request)
        content = self._service.certified_profile(found)
        if content is None:
            body = {"request_id": found.id, "status": found.status.value}
            return JSONResponse(body, status_code=202, headers=self._retry_after())
        name = f"{found.id}.mccp"
        return Response(
            content,
            media_type=self._choices.profile_media_type,
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )

    async def installed(self, request: Request) -> Response:
        """Hear of a device, or of the Admin who carried it there, that a certified profile is installed."""
        found, user = self._asked_about(request)
        if user is not None and user.role is not Role.ADMIN:
            raise refusals.role_too_low("only the device itself, or an Admin for it, says what is installed")
        self._service.installed(found)
        return Response(status_code=204)

    def _asked_about(self, request: Request) -> tuple[ProvisioningRequest, User | None]:
        return reader_of(self._service, request, self._door, request.path_params["identifier"])

    def _seen(self, user: User, wanted: Filter) -> Sequence[ProvisioningRequest]:
        return self._service.visible(user, wanted.system)

    def _waiting_for(self, user: User, action: Action, wanted: Filter) -> list[ProvisioningRequest]:
        """Return the requests of a filter in the state that an action needs: those that X counts."""
        matches = wanted.predicate()
        return [
            row
            for row in self._seen(user, wanted)
            if action in self._service.actions(user, self._door, row) and matches(row)
        ]

    def _row(self, found: ProvisioningRequest, user: User | None) -> dict[str, Any]:
        actions = () if user is None else self._service.actions(user, self._door, found)
        return row_json(found, actions, self._choices)

    def _result(self, result: BulkResult) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": result.id,
            "ok": result.ok,
            "status": None if result.status is None else result.status.value,
        }
        if result.problem is not None:
            told["problem"] = problem_json(
                result.problem, f"{REQUESTS}/{quote(result.id, safe='')}", self._choices
            )
        return told

    def _unchanged(self, found: ProvisioningRequest) -> Response:
        return Response(status_code=304, headers={"ETag": version_tag(found.version)})

    def _retry_after(self) -> dict[str, str]:
        return {"Retry-After": str(self._choices.retry_after)}
