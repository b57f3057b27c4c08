"""The fake of Acme Cloud."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness.backends.contract import FakeSettings


class AcmeFake:
    """One cloud, empty at first. ``secret`` is an option of its own."""

    def __init__(self, settings: FakeSettings) -> None:
        """Make the two applications that the harness serves."""
        self._secret = settings.options.get("secret", "acme")
        self._badges: dict[str, str] = {}
        self.service = Starlette(
            routes=[
                Route("/lamps", self._list),
                Route("/lamps/{serial}", self._register, methods=["POST"]),
                Route("/lamps/{serial}", self._unregister, methods=["DELETE"]),
            ]
        )
        self.control = Starlette()

    async def _list(self, _request: Request) -> Response:
        return JSONResponse(sorted(self._badges))

    async def _register(self, request: Request) -> Response:
        serial = request.path_params["serial"]
        if serial in self._badges:
            return JSONResponse({"message": f"{serial} is registered already"}, 409)
        badge = hashlib.sha256(f"{self._secret}:{serial}".encode()).hexdigest()[:16]
        self._badges[serial] = badge
        return JSONResponse({"badge": badge}, 201)

    async def _unregister(self, request: Request) -> Response:
        known = self._badges.pop(request.path_params["serial"], None)
        return Response(status_code=204 if known else 404)
