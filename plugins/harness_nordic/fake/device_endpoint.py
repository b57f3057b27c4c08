"""Where devices fetch their commands and report on them (nrfcloud fact sheet, sections 3.1, 3.2 and 3.7)."""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from harness_nordic.enums import FaultKind, FaultPlace
from harness_nordic.fake.answers import problem, read_body, status_of
from harness_nordic.fake.batches import DeviceLimits
from harness_nordic.fake.damage import GARBAGE, Target, damaged, damaged_batch, struck
from harness_nordic.fake.records import DeviceRequest
from harness_nordic.fake.refusals import BadRequest, Refusal
from harness_nordic.fake.team_calls import bearer_of
from harness_nordic.fake.wire import LONGEST_ID, decode_reports

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from harness_nordic.fake.faults import Fault
    from harness_nordic.fake.records import ClaimedDevice
    from harness_nordic.fake.service import ProvisioningService

    Meet = Callable[[frozenset[FaultKind]], FaultKind | None]
    Work = Callable[[Request, ClaimedDevice, Meet], Awaitable[tuple[Response, tuple[str, ...]]]]

CBOR = "application/cbor"
LIMIT_OF_OLD_CLIENTS = 5
"""Clients before NCS 3.1 do not say how many commands they take (section 3.2: fake choice)."""

_NUMBER = re.compile(r"[0-9]{1,9}")

_INSTEAD = frozenset({FaultKind.GARBAGE})
_AGAIN = frozenset({FaultKind.DUPLICATE})
_TO_CONTENTS = frozenset({FaultKind.TRUNCATED, FaultKind.GARBAGE})
_TO_COMMANDS = frozenset({FaultKind.TRUNCATED, FaultKind.INDEFINITE, FaultKind.TOO_MANY, FaultKind.OVERSIZE})

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
        return await self._answer(request, FaultPlace.FETCH, self._fetch)

    async def report(self, request: Request) -> Response:
        """Take what a device says of its commands; the answer is 200 exactly."""
        return await self._answer(request, FaultPlace.REPORT, self._report)

    async def _answer(self, request: Request, place: FaultPlace, work: Work) -> Response:
        """Let an authenticated device at the work, and write down what it asked and got."""
        record = self._service.identify(bearer_of(request))
        whose = Target(place=place, device=record.id, owner=self._service.owner_of(record.id))
        ids: Ids = ()

        async def answered(fault: Fault | None) -> Response:
            nonlocal ids
            try:
                device = self._service.served_device(record)
                response, ids = await work(request, device, partial(self._meet, fault, whose))
            except Refusal as refusal:
                return problem(status_of(refusal), str(refusal))
            except HTTPException as error:
                return problem(error.status_code, error.detail)
            return response

        response, fault = await struck(self._service.faults, whose, answered)
        self._service.remember_request(
            record,
            DeviceRequest(
                seconds=self._service.clock.seconds(),
                method=request.method,
                path=request.scope["path"],
                query=request.scope["query_string"].decode("latin-1"),
                status=response.status_code,
                ids=ids,
                fault=fault,
            ),
        )
        return response

    def _meet(self, fault: Fault | None, whose: Target, kinds: frozenset[FaultKind]) -> FaultKind | None:
        """Let a fault strike if it is of one of these kinds, and return its kind then."""
        if fault is None or fault.kind not in kinds:
            return None
        self._service.faults.strike(fault, device=whose.device, owner=whose.owner)
        return fault.kind

    async def _fetch(self, request: Request, device: ClaimedDevice, meet: Meet) -> tuple[Response, Ids]:
        after, limits = _parse_query(request.scope["query_string"])
        if meet(_INSTEAD):
            return Response(GARBAGE, media_type=CBOR), ()
        if device.queue.last_batch.ids and meet(_AGAIN):
            batch = device.queue.last_batch
        else:
            batch = device.queue.hand_out(after, limits)
        if not batch.ids:
            return Response(status_code=204), ()
        kind = meet(_TO_COMMANDS)
        body = batch.body if kind is None else damaged_batch(batch, limits, kind)
        return Response(body, media_type=CBOR), batch.ids

    async def _report(self, request: Request, device: ClaimedDevice, meet: Meet) -> tuple[Response, Ids]:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != CBOR:
            raise HTTPException(415, f"a report is {CBOR}")
        body = await read_body(request)
        # The device may have been unclaimed or blocked while its body was on the way.
        if self._service.served_device(device.factory) is not device:
            raise BadRequest("the device was claimed anew")
        kind = meet(_TO_CONTENTS)
        reports = decode_reports(body if kind is None else damaged(body, kind))
        for _time in range(2 if meet(_AGAIN) else 1):
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
