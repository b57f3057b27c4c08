"""Where devices fetch their commands and report on them (nrfcloud fact sheet, sections 3.1, 3.2 and 3.7)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from harness_nordic.fake.answers import problem, read_body, status_of
from harness_nordic.fake.command_queue import DeviceLimits
from harness_nordic.fake.management import bearer_of
from harness_nordic.fake.records import DeviceRequest
from harness_nordic.fake.refusals import BadRequest, Refusal
from harness_nordic.fake.wire import LONGEST_ID, decode_reports

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from harness_nordic.fake.records import ClaimedDevice
    from harness_nordic.fake.service import ProvisioningService

CBOR = "application/cbor"
LIMIT_OF_OLD_CLIENTS = 5
"""Clients before NCS 3.1 do not say how many commands they take (section 3.2: fake choice)."""

_NUMBER = re.compile(r"[0-9]{1,9}")

Ids = tuple[str, ...]


class DeviceEndpoint:
    """The two routes of the HTTP variant of the device protocol."""

    def __init__(self, service: ProvisioningService) -> None:
        """Serve what a service decides."""
        self._service = service

    @property
    def routes(self) -> list[Route]:
        """Fetch and report."""
        return [
            Route("/v1/provisioning/commands", self.fetch, methods=["GET"]),
            Route("/v1/provisioning/response", self.report, methods=["POST"]),
        ]

    async def fetch(self, request: Request) -> Response:
        """Hand out the commands that the device is to execute next; 204 when there is none."""
        return await self._answer(request, self._fetch)

    async def report(self, request: Request) -> Response:
        """Take what a device says of its commands; the answer is 200 exactly."""
        return await self._answer(request, self._report)

    async def _answer(
        self, request: Request, work: Callable[[Request, ClaimedDevice], Awaitable[tuple[Response, Ids]]]
    ) -> Response:
        """Let an authenticated device at the work, and write down what it asked and got."""
        record = self._service.identify(bearer_of(request))
        ids: Ids = ()
        try:
            response, ids = await work(request, self._service.served_device(record))
        except Refusal as refusal:
            response = problem(status_of(refusal), str(refusal))
        except HTTPException as error:
            response = problem(error.status_code, error.detail)
        self._service.remember_request(
            record,
            DeviceRequest(
                seconds=self._service.clock.seconds(),
                method=request.method,
                path=request.scope["path"],
                query=request.scope["query_string"].decode("latin-1"),
                status=response.status_code,
                ids=ids,
            ),
        )
        return response

    async def _fetch(self, request: Request, device: ClaimedDevice) -> tuple[Response, Ids]:
        batch = device.queue.hand_out(*_parse_query(request.scope["query_string"]))
        if not batch.ids:
            return Response(status_code=204), ()
        return Response(batch.body, media_type=CBOR), batch.ids

    async def _report(self, request: Request, device: ClaimedDevice) -> tuple[Response, Ids]:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != CBOR:
            raise HTTPException(415, f"a report is {CBOR}")
        body = await read_body(request)
        # The device may have been unclaimed or blocked while its body was on the way.
        if self._service.served_device(device.factory) is not device:
            raise BadRequest("the device was claimed anew")
        reports = decode_reports(body)
        device.queue.take_reports(reports)
        return Response(status_code=200), tuple(report.id for report in reports)


@lru_cache(maxsize=1024)
def _parse_query(query_string: bytes) -> tuple[str, DeviceLimits]:
    """Parse what a device says when it fetches; a device that waits for work says the same every time."""
    query = QueryParams(query_string)
    after = query.get("after", "")
    if len(after) > LONGEST_ID:
        raise BadRequest(f"after: expected at most {LONGEST_ID} characters")
    limits = DeviceLimits(
        commands=_number(query.get("limit"), "limit", smallest=1) or LIMIT_OF_OLD_CLIENTS,
        receive_bytes=_number(query.get("rxMaxSize"), "rxMaxSize"),
        command_bytes=_number(query.get("txMaxSize"), "txMaxSize"),
    )
    return after, limits


def _number(text: str | None, name: str, *, smallest: int = 0) -> int | None:
    if text is None:
        return None
    if not _NUMBER.fullmatch(text) or int(text) < smallest:
        raise BadRequest(f"{name}: expected a whole number of at least {smallest}")
    return int(text)
