"""The calls about how dates are shown to a user (guardian fact sheet, sections 7 and 10.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness_guardian.fake.answers import StrictBody, read_json
from harness_guardian.fake.authentication import user_of
from harness_guardian.fake.request_calls import BASE

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_guardian.fake.records import User
    from harness_guardian.fake.service import GuardianService

SETTINGS = f"{BASE}/me/settings"


class SettingsBody(StrictBody):
    """``PUT /me/settings``: both toggles, which are independent of each other."""

    iso: bool
    local_time: bool


class SettingsCalls:
    """Settings of whoever asks; the same at both doors."""

    def __init__(self, service: GuardianService) -> None:
        """Serve what the service knows."""
        self._service = service

    @property
    def routes(self) -> list[Route]:
        """All routes."""
        return [
            Route(SETTINGS, self.read, methods=["GET"]),
            Route(SETTINGS, self.change, methods=["PUT"]),
        ]

    async def read(self, request: Request) -> Response:
        """Tell how dates are shown."""
        return _told(user_of(self._service, request))

    async def change(self, request: Request) -> Response:
        """Decide how dates are shown, from now on."""
        user = user_of(self._service, request)
        body = await read_json(request, SettingsBody)
        user.iso, user.local_time = body.iso, body.local_time
        return _told(user)


def _told(user: User) -> Response:
    return JSONResponse({"iso": user.iso, "local_time": user.local_time})
