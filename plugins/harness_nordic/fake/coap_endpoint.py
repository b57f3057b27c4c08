"""Where devices fetch their commands and report on them by CoAP (nrfcloud fact sheet, section 3.3).

A device proves who it is once, by a JWT at ``p/auth-jwt``; from then on its address and port stand for it, as
its DTLS connection does at the real service.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiocoap import Message  # type: ignore[import-untyped] # has no types

from harness_nordic.enums import FaultPlace
from harness_nordic.fake.answers import UNAUTHORIZED, status_of
from harness_nordic.fake.coap_transport import CoapDoor, NoAnswer, Place, code_of, status_of_code
from harness_nordic.fake.device_desk import DeviceDesk, Visit, parse_fetch
from harness_nordic.fake.records import DeviceRequest
from harness_nordic.fake.refusals import BadRequest, Refusal

if TYPE_CHECKING:
    from harness_nordic.fake.coap_transport import Address
    from harness_nordic.fake.device_desk import Ids, Meet
    from harness_nordic.fake.faults import Fault
    from harness_nordic.fake.records import ClaimedDevice, FactoryRecord
    from harness_nordic.fake.service import ProvisioningService

CBOR = 60
"""Content-Format of commands and reports, and as the library sends it of JWTs, too."""

CREATED, CHANGED, CONTENT = 201, 204, 205
NOT_FOUND, NOT_ACCEPTABLE, UNSUPPORTED_FORMAT = 404, 406, 415
MOST_SESSIONS = 10_000
"""Devices that may be known by their addresses at a time; the one that came longest ago is forgotten."""

_METHODS = {1: "GET", 2: "POST"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoapSession:
    """A device that has proven who it is.

    :ivar expires: until when that holds, in seconds since the epoch.
    """

    record: FactoryRecord
    expires: float


@dataclass(frozen=True, slots=True)
class _Coap:
    """How the desk's answers are told by CoAP."""

    service: ProvisioningService

    def refuse(self, refusal: Refusal) -> Any:
        """Return the answer that tells a refusal."""
        return _problem(status_of(refusal, self.service.choices), str(refusal))

    def ordered(self, fault: Fault) -> Any:
        """Return the answer that a fault asks for; without a status the request is rejected."""
        if fault.status is None:
            return NoAnswer()
        return _problem(fault.status, "a fault was ordered")

    def status(self, answer: Any) -> int:
        """Return the code of an answer as it is written, 401 for 4.01; 0 where there is none."""
        return 0 if isinstance(answer, NoAnswer) else status_of_code(answer.code)


class CoapEndpoint:
    """The resources of the CoAP variant of the device protocol."""

    def __init__(self, service: ProvisioningService) -> None:
        """Serve what a service decides."""
        self._service = service
        self._desk = DeviceDesk(service)
        self._says = _Coap(service)
        self._sessions: OrderedDict[Address, CoapSession] = OrderedDict()
        authenticate = Place({"post": self.authenticate})
        self.door = CoapDoor(
            {
                ("p", "auth-jwt"): authenticate,
                ("p", "auth"): authenticate,  # as older libraries call it
                ("p", "cmd"): Place({"get": self.fetch}),
                ("p", "rsp"): Place({"post": self.report}),
                (".dtls", "suspend"): Place({"post": self.suspend}),
            }
        )

    async def authenticate(self, request: Any) -> Any:
        """Know a device by its address from now on; 2.01 and how long that holds."""
        if request.opt.content_format not in {None, 0, CBOR}:
            return _problem(UNSUPPORTED_FORMAT, "a JWT is a text")
        self._sessions.pop(request.remote.address, None)
        try:
            record = self._service.identify(request.payload.decode("utf-8", "replace").strip())
        except Refusal as refusal:
            return _problem(status_of(refusal, self._service.choices), str(refusal))
        try:
            if self._service.choices.coap_claim_needed:
                self._service.served_device(record)
        except Refusal as refusal:
            answer = _problem(status_of(refusal, self._service.choices), str(refusal))
        else:
            answer = self._begin_session(request.remote.address, record)
        self._service.remember_request(
            record,
            DeviceRequest(
                seconds=self._service.clock.seconds(),
                method="POST",
                path="/".join(request.get_request_uri().partition("://")[2].partition("?")[0].split("/")[1:]),
                query="&".join(request.opt.uri_query),
                status=status_of_code(answer.code),
                ids=(),
            ),
        )
        return answer

    async def fetch(self, request: Any) -> Any:
        """Hand out the commands that the device is to execute next; an empty payload when there is none."""
        return await self._answer(request, "p/cmd", FaultPlace.FETCH)

    async def report(self, request: Any) -> Any:
        """Take what a device says of its commands; the answer is 2.04 exactly."""
        return await self._answer(request, "p/rsp", FaultPlace.REPORT)

    async def suspend(self, _request: Any) -> Any:
        """Let a device go to sleep: without DTLS there is nothing to suspend."""
        if self._service.choices.coap_suspend:
            return Message(code=code_of(CHANGED))
        return _problem(NOT_FOUND, "connections cannot be suspended")

    def _begin_session(self, address: Address, record: FactoryRecord) -> Any:
        life = self._service.choices.coap_session_seconds
        self._sessions[address] = CoapSession(record=record, expires=self._service.clock.seconds() + life)
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return Message(code=code_of(CREATED), max_age=life)

    async def _answer(self, request: Any, path: str, place: FaultPlace) -> Any:
        """Lead a device that has proven who it is to the desk."""
        session = self._sessions.get(request.remote.address)
        if session is None or session.expires <= self._service.clock.seconds():
            return _problem(UNAUTHORIZED, "who are you?")
        visit = Visit(
            door=self._says,
            place=place,
            record=session.record,
            method=_METHODS[int(request.code)],
            path=path,
            query="&".join(request.opt.uri_query),
        )

        async def work(device: ClaimedDevice, meet: Meet) -> tuple[Any, Ids]:
            if place is FaultPlace.FETCH:
                return self._fetch(request, device, meet)
            return self._report(request, device, meet)

        return await self._desk.serve(visit, work)

    def _fetch(self, request: Any, device: ClaimedDevice, meet: Meet) -> tuple[Any, Ids]:
        if request.opt.accept not in {None, CBOR}:
            return _problem(NOT_ACCEPTABLE, "commands are CBOR"), ()
        query: dict[str, str] = {}
        for option in request.opt.uri_query:
            name, _equals, value = option.partition("=")
            if name in query:
                raise BadRequest(f"{name}: expected once")
            query[name] = value
        # The receive buffer is for the payload alone: the blocks of CoAP have one of their own.
        after, limits = parse_fetch(query, reserve=0)
        batch = self._desk.fetch(device, after, limits, meet)
        answer = Message(code=code_of(CONTENT), payload=batch.body)
        if batch.body:
            answer.opt.content_format = CBOR
        return answer, batch.ids

    def _report(self, request: Any, device: ClaimedDevice, meet: Meet) -> tuple[Any, Ids]:
        if request.opt.content_format != CBOR:
            return _problem(UNSUPPORTED_FORMAT, "a report is CBOR"), ()
        return Message(code=code_of(CHANGED)), self._desk.report(device, request.payload, meet)


def _problem(status: int, message: str) -> Any:
    """Answer with a diagnostic payload (RFC 7252, section 5.5.2)."""
    return Message(code=code_of(status), payload=message.encode())
