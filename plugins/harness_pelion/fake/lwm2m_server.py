"""The LwM2M server: devices that were bootstrapped register here, and stay as long as they say.

Registration, update and deregistration are those of the pelion fact sheet, section 6.2. The ids of vendor
and class are asked of the device after its registration, when it says that it has them: that is how they come
into the directory [design].
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_pelion.enums import CertificateStatus
from harness_pelion.fake.choices import FAKE
from harness_pelion.fake.coap import Code, Option, path_options, query, written
from harness_pelion.fake.directory import EXPIRED, NoSuchDevice, TooManyDevices
from harness_pelion.fake.lifetimes import Lifetimes
from harness_pelion.fake.limits import DEFAULT_LIMITS
from harness_pelion.fake.records import new_id
from harness_pelion.fake.reservations import CertificateGone, Reservations
from harness_pelion.fake.stream import Answer, Refused, Unanswered, common_name
from harness_pelion.fake.stream_door import StreamServer
from harness_pelion.fake.tlv import CONTENT_FORMAT, TlvError, decode

if TYPE_CHECKING:
    from harness_pelion.fake.choices import Choices
    from harness_pelion.fake.clock import Clock
    from harness_pelion.fake.coap import Message
    from harness_pelion.fake.directory import Directory
    from harness_pelion.fake.faults import Faults
    from harness_pelion.fake.issuing import Issuing
    from harness_pelion.fake.limits import Limits
    from harness_pelion.fake.records import DeviceRecord
    from harness_pelion.fake.stream import Session

REFUSED = "registration refused"
REGISTERED = "registered"
UPDATED = "registration updated"
DEREGISTERED = "deregistered"
UNDESCRIBED = "description failed"
"""What is noted in the directory's log."""

BY_DEVICE = "by the device"
BY_BOOTSTRAP = "bootstrapped again"
"""Why a registration ended; the third reason is that its lifetime did."""

LINK_FORMAT = 40
DEFAULT_LIFETIME = 86_400
"""Seconds that a registration lives when the device does not say (OMA LwM2M 1.0, section 5.3.1)."""

_LONGEST_LIFETIME = 0xFFFFFFFF
_BINDINGS = {"U", "UQ", "S", "SQ", "US", "UQS"}
_ID_BYTES = 16
_UPDATE_OBJECT = "10255"
_VENDOR, _CLASS = "3", "4"
_LINKS = re.compile(rb'\s*<[^<>]*>(?:\s*;\s*[^\s=;,<>"]+(?:=(?:"[^"]*"|[^\s;,"]*))?)*\s*')
"""One link (RFC 6690, section 2)."""


@dataclass(slots=True, kw_only=True)
class Registration:
    """A device that is registered.

    :ivar location: what its updates go to.
    """

    device_id: str
    location: str
    session: Session


class Lwm2mServer(StreamServer):
    """Where devices register."""

    part = "lwm2m"

    def __init__(
        self,
        directory: Directory,
        issuing: Issuing,
        clock: Clock,
        faults: Faults,
        *,
        choices: Choices = FAKE,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Let devices register that were bootstrapped.

        :param directory: where they are.
        :param issuing: whose certificates are trusted.
        :param clock: tells the time of each account.
        :param faults: what is to go wrong.
        :param choices: what it does where nobody knows what the real one does.
        :param limits: how long devices may take, and how many there may be.
        """
        anchors = [issuing.lwm2m.der]
        super().__init__(
            directory,
            clock,
            faults,
            credential=issuing.lwm2m_server,
            anchors=lambda: anchors,
            choices=choices,
            limits=limits,
        )
        self.reservations = Reservations(directory, clock)
        self._registrations: dict[str, Registration] = {}
        self._lifetimes = Lifetimes(clock, self._expired)

    def close(self) -> None:
        """Watch no lifetime any more: the fake ends."""
        self._lifetimes.close()

    def bootstrapped_again(self, device_id: str) -> None:
        """End the registration of a device that has got a new identity."""
        self._end(device_id, BY_BOOTSTRAP)

    def keeps(self, session: Session) -> bool:
        """Tell whether a connection may stay although nothing is said: a registered device's may."""
        return any(each.session is session for each in self._registrations.values())

    def serve(self, session: Session, request: Message) -> Answer:
        """Answer a request: ``/rd`` and the locations below it.

        :raises Refused: why.
        """
        path = request.path
        if path == ("rd",):
            if request.code != Code.POST:
                raise Refused(Code.METHOD_NOT_ALLOWED, "a registration begins with POST")
            return self._register(session, request)
        if len(path) != 2 or path[0] != "rd":  # noqa: PLR2004 - rd and a location
            raise Refused(Code.NOT_FOUND, "there is nothing but /rd")
        device = self._who(session)
        registration = self._registrations.get(device.id)
        if registration is None or registration.location != path[1]:
            raise self._refusal(device.account_id, Code.NOT_FOUND, "there is no such registration", device.id)
        if request.code == Code.POST:
            return self._update(session, request, device, registration)
        if request.code == Code.DELETE:
            self.strike(device.account_id, "deregister")
            self._end(device.id, BY_DEVICE)
            return Answer(code=Code.DELETED)
        raise Refused(Code.METHOD_NOT_ALLOWED, "a registration is updated by POST and ended by DELETE")

    # Who asks ----------------------------------------------------------------------------------------

    def _who(self, session: Session) -> DeviceRecord:
        """Return the device that a certificate was issued for.

        :raises Refused: it was not bootstrapped, or is not to be served any more.
        """
        shown = session.certificate
        device_id = common_name(shown) or ""
        account_id = self.account_of(shown)
        device = self.directory.device(device_id)
        if device is None or device.certificate != shown:
            try:
                device = self.reservations.finish_by(device_id, shown)
            except (TooManyDevices, CertificateGone) as gone:
                raise self._refusal(account_id, Code.FORBIDDEN, str(gone), device_id) from None
            if device is not None:
                self.bootstrapped_again(device.id)
        if device is None:
            reason = "no bootstrap has given this certificate to a device that is in the directory"
            raise self._refusal(account_id, Code.FORBIDDEN, reason, device_id)
        account = self.directory.accounts[device.account_id]
        developer = account.certificates.get(device.ca_id)
        if developer is None or developer.status is not CertificateStatus.ACTIVE:
            reason = "the developer certificate of the device is not trusted any more"
            raise self._refusal(account_id, Code.FORBIDDEN, reason, device_id)
        return device

    def _refusal(self, account_id: str, code: Code, reason: str, device_id: str) -> Refused:
        return self.refuse(account_id, REFUSED, code, reason, device_id=device_id)

    # What it asks ------------------------------------------------------------------------------------

    def _register(self, session: Session, request: Message) -> Answer:
        device = self._who(session)
        said = query(request)
        self._check_claims(device, said)
        lifetime = self._lifetime(device, said, DEFAULT_LIFETIME)
        objects = self._objects(device, request)
        self.strike(device.account_id, "register")
        location = new_id()
        self._registrations[device.id] = Registration(device_id=device.id, location=location, session=session)
        self._lifetimes.start(device.id, device.account_id, lifetime)
        self.directory.registered(device.id, lifetime=lifetime, endpoint_type=said.get("et", ""))
        self.directory.note(device.account_id, REGISTERED, device_id=device.id, lifetime=lifetime)
        return Answer(
            code=Code.CREATED,
            options=tuple(path_options(["rd", location], Option.LOCATION_PATH)),
            then=lambda: self._describe(session, device, objects),
        )

    def _update(
        self, session: Session, request: Message, device: DeviceRecord, registration: Registration
    ) -> Answer:
        said = query(request)
        self._check_binding(device, said)
        lifetime = self._lifetime(device, said, device.lifetime)
        objects = self._objects(device, request)
        self.strike(device.account_id, "update")
        registration.session = session
        self._lifetimes.start(device.id, device.account_id, lifetime)
        self.directory.updated(device.id, lifetime=lifetime if "lt" in said else None)
        self.directory.note(device.account_id, UPDATED, device_id=device.id, lifetime=lifetime)
        if not request.payload:
            return Answer(code=Code.CHANGED)
        return Answer(code=Code.CHANGED, then=lambda: self._describe(session, device, objects))

    def _check_claims(self, device: DeviceRecord, said: dict[str, str]) -> None:
        """See that a device says of itself what its certificate and the directory say."""
        if not said.get("ep"):
            raise self._refusal(device.account_id, Code.BAD_REQUEST, "ep is missing", device.id)
        # Nothing public says whether it is the internal name or the one of before: both are its own.
        if said["ep"] not in {device.id, device.ca_id}:
            reason = "the endpoint name is not the device's"
            raise self._refusal(device.account_id, Code.FORBIDDEN, reason, device.id)
        if said.get("aid", device.account_id) != device.account_id:
            reason = "the account is not the one of the certificate"
            raise self._refusal(device.account_id, Code.FORBIDDEN, reason, device.id)
        if said.get("lwm2m", "1.0") != "1.0":
            reason = f"version {said['lwm2m']} of LwM2M is not supported"
            raise self._refusal(device.account_id, Code.PRECONDITION_FAILED, reason, device.id)
        self._check_binding(device, said)

    def _check_binding(self, device: DeviceRecord, said: dict[str, str]) -> None:
        if said.get("b", "U") not in _BINDINGS:
            raise self._refusal(device.account_id, Code.BAD_REQUEST, "b is no binding", device.id)

    def _lifetime(self, device: DeviceRecord, said: dict[str, str], usual: int) -> int:
        """Return the seconds that a registration is to live."""
        if "lt" not in said:
            return usual
        text = said["lt"]
        if re.fullmatch("[0-9]{1,10}", text) and 1 <= int(text) <= _LONGEST_LIFETIME:
            return int(text)
        raise self._refusal(device.account_id, Code.BAD_REQUEST, "lt is no number of seconds", device.id)

    def _objects(self, device: DeviceRecord, request: Message) -> set[str]:
        """Return the paths of the objects that a device says it has."""
        if request.content_format not in {None, LINK_FORMAT}:
            reason = "the objects are to be listed in the link format"
            raise self._refusal(device.account_id, Code.UNSUPPORTED_FORMAT, reason, device.id)
        paths = link_paths(request.payload)
        if paths is None:
            reason = "the list of objects is malformed"
            raise self._refusal(device.account_id, Code.BAD_REQUEST, reason, device.id)
        return paths

    # What it is asked --------------------------------------------------------------------------------

    async def _describe(self, session: Session, device: DeviceRecord, objects: set[str]) -> None:
        """Ask a device which vendor's and of which class it is, if it can tell."""
        instance = f"/{_UPDATE_OBJECT}/0"
        if instance not in objects and not any(each.startswith(f"{instance}/") for each in objects):
            return
        try:
            vendor = await self._read_id(session, device, _VENDOR, "vendor")
            device_class = await self._read_id(session, device, _CLASS, "class")
            self.directory.described(device.id, vendor, device_class)
        except (Unanswered, Refused, NoSuchDevice) as failure:
            self.directory.note(device.account_id, UNDESCRIBED, device_id=device.id, reason=str(failure))

    async def _read_id(self, session: Session, device: DeviceRecord, resource: str, step: str) -> str | None:
        """Return one of the ids as 32 hexadecimal digits, ``None`` when the device has none."""
        self.strike(device.account_id, step)
        answer = await session.ask(Code.GET, [_UPDATE_OBJECT, "0", resource])
        if answer.code == Code.NOT_FOUND:
            return None
        value = _value_of(answer)
        if answer.code != Code.CONTENT or len(value) != _ID_BYTES:
            raise Unanswered(
                f"the {step}'s id: {written(answer.code)} with {len(value)} bytes, expected 2.05 with 16"
            )
        return value.hex()

    # How it ends -------------------------------------------------------------------------------------

    def _expired(self, device_id: str) -> None:
        self._end(device_id, EXPIRED)

    def _end(self, device_id: str, reason: str) -> None:
        """End a registration, if there is one."""
        self._lifetimes.stop(device_id)
        registration = self._registrations.pop(device_id, None)
        device = self.directory.device(device_id)
        if registration is None or device is None:
            return
        self.directory.deregistered(device_id, reason)
        self.directory.note(device.account_id, DEREGISTERED, device_id=device_id, reason=reason)


def _value_of(answer: Message) -> bytes:
    """Return the value that an answer holds: as it is, or as the one resource of a TLV."""
    if answer.content_format != CONTENT_FORMAT:
        return answer.payload
    try:
        entries = decode(answer.payload)
    except TlvError:
        return b""
    value = entries[0].value if len(entries) == 1 else b""
    return value if isinstance(value, bytes) else b""


def link_paths(payload: bytes) -> set[str] | None:
    """Return the targets of a list of links (RFC 6690, section 2), ``None`` when it is malformed."""
    paths: set[str] = set()
    at = 0
    while at < len(payload):
        link = _LINKS.match(payload, at)
        if link is None:
            return None
        target = link.group().lstrip()[1:].partition(b">")[0]
        try:
            paths.add(target.decode())
        except UnicodeDecodeError:
            return None
        at = link.end()
        if at < len(payload):
            if payload[at : at + 1] != b"," or at + 1 == len(payload):
                return None
            at += 1
    return paths
