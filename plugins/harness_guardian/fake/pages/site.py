"""Who comes in to the pages: signing in and out, the proof that a form is ours, and refusals."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness_guardian.fake.pages.addresses import local_address, safe_return
from harness_guardian.fake.pages.columns import ColumnChooser
from harness_guardian.fake.pages.forms import form_of, text_of
from harness_guardian.fake.pages.rendering import render
from harness_guardian.fake.pages.sessions import COOKIE, LONGEST, Sessions
from harness_guardian.fake.pages.visits import Visit, see_other
from harness_guardian.fake.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from harness_guardian.enums import ProvisionSource
    from harness_guardian.fake.pages.sessions import Session
    from harness_guardian.fake.records import User
    from harness_guardian.fake.service import GuardianService

SIGN_IN = "/sign-in"
SIGN_IN_COOKIE = "guardian-sign-in"


@dataclass(slots=True, kw_only=True, eq=False)
class Site:
    """The pages of one Guardian.

    :ivar door: whether it is the cloud or an appliance.
    """

    service: GuardianService
    door: ProvisionSource
    sessions: Sessions = field(default_factory=Sessions)
    chooser: ColumnChooser = field(init=False)

    def __post_init__(self) -> None:
        """Let everybody see the default columns."""
        self.chooser = ColumnChooser(self.service.choices.default_columns)

    def page(self, show: Callable[[Visit], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of a page for those who are signed in.

        :param show: answers them; a form of theirs was checked before.
        """

        async def endpoint(request: Request) -> Response:
            found = self._signed_in(request)
            if found is None:
                return see_other(_sign_in_address(request))
            session, user = found
            visit = Visit(
                service=self.service,
                door=self.door,
                chooser=self.chooser,
                request=request,
                session=session,
                user=user,
            )
            try:
                if request.method != "POST":
                    return await show(visit)
                async with form_of(request) as form:
                    if not session.proves(text_of(form, "csrf")):
                        raise _forged()
                    return await show(replace(visit, form=form))
            except Refused as refused:
                return _refusal(visit, refused)

        return endpoint

    def _signed_in(self, request: Request) -> tuple[Session, User] | None:
        session = self.sessions.find(request.cookies.get(COOKIE))
        if session is None:
            return None
        try:
            return session, self.service.user_by_token(session.token)
        except Refused:
            self.sessions.close(request.cookies.get(COOKIE))
            return None

    async def show_sign_in(self, request: Request) -> Response:
        """Ask for a user's token."""
        if self._signed_in(request) is not None:
            return see_other(safe_return(request.query_params.get("next", "")))
        return _sign_in_form(request.query_params.get("next", ""))

    async def sign_in(self, request: Request) -> Response:
        """Begin a session for the user of a token."""
        try:
            async with form_of(request) as form:
                expected, wanted = request.cookies.get(SIGN_IN_COOKIE, ""), text_of(form, "next")
                given, token = text_of(form, "csrf"), text_of(form, "token").strip()
        except Refused as refused:
            return _sign_in_form("", refused.detail, refused.status)
        if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
            return _sign_in_form(wanted, "The form was too old. Sign in again.", 403)
        try:
            self.service.user_by_token(token)
        except Refused:
            return _sign_in_form(wanted, "This token is nobody's.", 403)
        name, _session = self.sessions.open(token)
        answer = see_other(safe_return(wanted))
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, name, max_age=int(LONGEST), httponly=True, samesite="strict", secure=secure)
        answer.delete_cookie(SIGN_IN_COOKIE, path=SIGN_IN, httponly=True, samesite="strict")
        return answer

    async def sign_out(self, visit: Visit) -> Response:
        """End the session."""
        self.sessions.close(visit.request.cookies.get(COOKIE))
        answer = see_other(SIGN_IN)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    async def home(self, _request: Request) -> Response:
        """Lead to the first page."""
        return see_other("/devices")


def _sign_in_address(request: Request) -> str:
    if request.method != "GET":
        return SIGN_IN
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return local_address(SIGN_IN, [("next", wanted)])


def _sign_in_form(wanted: str, problem: str = "", status: int = 200) -> Response:
    csrf = secrets.token_urlsafe(24)
    answer = render("sign_in.html", status=status, csrf=csrf, next=safe_return(wanted), problem=problem)
    # The form proves itself by a cookie, too: nobody is signed in as somebody else by a page of another site.
    answer.set_cookie(SIGN_IN_COOKIE, csrf, path=SIGN_IN, httponly=True, samesite="strict")
    return answer


def _refusal(visit: Visit, refused: Refused) -> Response:
    return render(
        "problem.html",
        status=refused.status,
        frame=visit.frame(""),
        heading=refused.title,
        detail=refused.detail,
    )


def _forged() -> Refused:
    return Refused(403, "forged", "Not one of our forms", "The form was too old, or another site's.")
