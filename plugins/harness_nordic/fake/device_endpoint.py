"""Where devices fetch their commands and report on them by HTTP (nrfcloud fact sheet, section 3.2)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from harness_nordic.enums import FaultPlace
from harness_nordic.fake.answers import problem, read_body, refused
from harness_nordic.fake.damage import answer_of
from harness_nordic.fake.device_desk import DeviceDesk, Visit, parse_fetch
from harness_nordic.fake.refusals import BadRequest
from harness_nordic.fake.team_calls import bearer_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from harness_nordic.fake.batches import DeviceLimits
    from harness_nordic.fake.device_desk import Ids, Meet
    from harness_nordic.fake.faults import Fault
    from harness_nordic.fake.records import ClaimedDevice
    from harness_nordic.fake.refusals import Refusal
    from harness_nordic.fake.service import ProvisioningService

    Work = Callable[[Request, ClaimedDevice, Meet], Awaitable[tuple[Response, Ids]]]

CBOR = "application/cbor"


class DeviceEndpoint:
    """The two routes of the HTTP variant of the device protocol."""

    def __init__(self, service: ProvisioningService) -> None:
        """Serve what a service decides."""
        self._service = service
        self._desk = DeviceDesk(service)

    @property
    def routes(self) -> list[Route]:
        """Fetch and report."""
        return [
            Route("/v1/provisioning/commands", self.fetch, methods=["GET"]),
            Route("/v1/provisioning/response", self.report, methods=["POST"]),
        ]

    async def fetch(self, request: Request) -> Response:
        """Hand out the commands that the device is to execute next; 204 when there is none."""
        return await self._answer(request, FaultPlace.FETCH, self._fetch)

    async def report(self, request: Request) -> Response:
        """Take what a device says of its commands; the answer is 200 exactly."""
        return await self._answer(request, FaultPlace.REPORT, self._report)

    def refuse(self, refusal: Refusal) -> Response:
        """Return the answer that tells a refusal."""
        return refused(refusal, self._service.choices)

    def ordered(self, fault: Fault) -> Response:
        """Return the answer that a fault asks for; without a status it closes the connection."""
        return answer_of(fault)

    def status(self, answer: Response) -> int:
        """Return the status of an answer."""
        return answer.status_code

    async def _answer(self, request: Request, place: FaultPlace, work: Work) -> Response:
        """Lead an authenticated device to the desk."""
        visit = Visit(
            door=self,
            place=place,
            record=self._service.identify(bearer_of(request)),
            method=request.method,
            path=request.scope["path"],
            query=request.scope["query_string"].decode("latin-1"),
        )

        async def worked(device: ClaimedDevice, meet: Meet) -> tuple[Response, Ids]:
            try:
                return await work(request, device, meet)
            except HTTPException as error:
                return problem(error.status_code, error.detail, self._service.choices), ()

        return await self._desk.serve(visit, worked)

    async def _fetch(self, request: Request, device: ClaimedDevice, meet: Meet) -> tuple[Response, Ids]:
        after, limits = _parse_query(request.scope["query_string"])
        batch = self._desk.fetch(device, after, limits, meet)
        if not batch.body:
            return Response(status_code=204), ()
        return Response(batch.body, media_type=CBOR), batch.ids

    async def _report(self, request: Request, device: ClaimedDevice, meet: Meet) -> tuple[Response, Ids]:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != CBOR:
            raise HTTPException(415, f"a report is {CBOR}")
        body = await read_body(request)
        # The device may have been unclaimed or blocked while its body was on the way.
        if self._service.served_device(device.factory) is not device:
            raise BadRequest("the device was claimed anew")
        return Response(status_code=200), self._desk.report(device, body, meet)


@lru_cache(maxsize=1024)
def _parse_query(query_string: bytes) -> tuple[str, DeviceLimits]:
    """Parse what a device says when it fetches; a device that waits for work says the same every time."""
    return parse_fetch(QueryParams(query_string))
