"""The bootstrap server: it knows devices by their developer certificates and gives each an identity.

The exchanges are those of the pelion fact sheet, section 6.2, in certificate mode: the device asks by ``POST
/bs``, the server removes and writes the objects ``/0``, ``/1`` and ``/3``, and ``POST /bs`` from its side is
the end. Whatever the device answers otherwise than it should ends the bootstrap.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from harness_pelion.fake.choices import FAKE
from harness_pelion.fake.coap import Code, code_of, query, written
from harness_pelion.fake.directory import TooManyDevices
from harness_pelion.fake.limits import DEFAULT_LIMITS
from harness_pelion.fake.records import new_id
from harness_pelion.fake.reservations import CertificateGone
from harness_pelion.fake.stream import Answer, Dropped, Held, Refused, Unanswered, common_name
from harness_pelion.fake.stream_door import StreamServer
from harness_pelion.fake.tls import LinkEnded
from harness_pelion.fake.tlv import CONTENT_FORMAT, OLD_CONTENT_FORMAT, encode, instance, integer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from harness_pelion.fake.choices import Choices
    from harness_pelion.fake.clock import Clock
    from harness_pelion.fake.coap import Message
    from harness_pelion.fake.directory import Directory
    from harness_pelion.fake.faults import Fault, Faults
    from harness_pelion.fake.issuing import Credential, Issuing
    from harness_pelion.fake.limits import Limits
    from harness_pelion.fake.lwm2m_server import Lwm2mServer
    from harness_pelion.fake.records import Account, DeveloperCertificate
    from harness_pelion.fake.reservations import Reservation
    from harness_pelion.fake.stream import Session

REFUSED = "bootstrap refused"
FAILED = "bootstrap failed"
BEGAN = "bootstrap began"
"""What is noted in the directory's log."""

_SECURITY, _SERVER, _DEVICE = "0", "1", "3"
_CERTIFICATE_MODE = 2
_SHORT_SERVER_ID = 123
_LIFETIME_SECONDS = 600


class _Failed(Exception):
    """A step of a bootstrap failed."""


@dataclass(slots=True, kw_only=True)
class _Visit:
    """A device that is being bootstrapped.

    :ivar step: what is being done.
    """

    session: Session
    account: Account
    reservation: Reservation
    credential: Credential
    step: str = ""


class BootstrapServer(StreamServer):
    """Where devices get what they need for the LwM2M server."""

    part = "bootstrap"

    def __init__(
        self,
        directory: Directory,
        issuing: Issuing,
        clock: Clock,
        faults: Faults,
        lwm2m: Lwm2mServer,
        *,
        choices: Choices = FAKE,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Bootstrap devices for one LwM2M server.

        :param directory: whose developer certificates are trusted, and where devices are counted.
        :param issuing: makes the devices' certificates.
        :param clock: tells the time of each account.
        :param faults: what is to go wrong.
        :param lwm2m: where the devices are sent to.
        :param choices: what it does where nobody knows what the real one does.
        :param limits: how long devices may take, and how many there may be.
        """
        super().__init__(
            directory,
            clock,
            faults,
            credential=issuing.bootstrap_server,
            anchors=directory.trust_anchors,
            choices=choices,
            limits=limits,
        )
        self._issuing = issuing
        self._lwm2m = lwm2m
        self._reservations = lwm2m.reservations
        self._steps = self._plan()

    def serve(self, session: Session, request: Message) -> Answer:
        """Answer a request: ``POST /bs`` and nothing else.

        :raises Refused: why.
        """
        if request.path != ("bs",):
            raise Refused(Code.NOT_FOUND, "there is nothing but /bs")
        if request.code != Code.POST:
            raise Refused(Code.METHOD_NOT_ALLOWED, "a bootstrap begins with POST")
        if session.working:
            raise Refused(Code.BAD_REQUEST, "a bootstrap is under way on this connection")
        account, certificate = self._who(session)
        said = query(request)
        self._check_claims(account, certificate, said)
        device_id = self._device_id(account, certificate, said)
        self.strike(account.id, "request")
        reservation = self._reservations.begin(device_id, account.id, certificate.der)
        session.at_end = lambda: self._break_off(reservation)
        credential = self._issuing.lwm2m.issue_device(device_id, account.id, self.clock.now(account.id))
        visit = _Visit(session=session, account=account, reservation=reservation, credential=credential)
        self.directory.note(
            account.id, BEGAN, endpoint=certificate.id, device_id=device_id, again=said.get("iep") is not None
        )
        return Answer(code=Code.CHANGED, then=lambda: self._bootstrap(visit))

    # Who asks ----------------------------------------------------------------------------------------

    def _who(self, session: Session) -> tuple[Account, DeveloperCertificate]:
        found = self.directory.developer_certificate(session.certificate)
        if found is None:
            # Trusted when the connection began, and not any more; or signed by one that is trusted.
            raise self._refusal(
                self.account_of(session.certificate),
                Code.FORBIDDEN,
                "the certificate shown is no developer certificate that is trusted now",
                common_name(session.certificate) or "",
            )
        return found

    def _check_claims(
        self, account: Account, certificate: DeveloperCertificate, said: dict[str, str]
    ) -> None:
        """See that a device says what its certificate says (pelion fact sheet, sections 3 and 6.2)."""
        endpoint = said.get("ep", "")
        for name in ("ep", "aid"):
            if not said.get(name):
                raise self._refusal(account.id, Code.BAD_REQUEST, f"{name} is missing", endpoint)
        if endpoint != common_name(certificate.der):
            reason = "the endpoint name is not the CN of the certificate"
            raise self._refusal(account.id, Code.FORBIDDEN, reason, endpoint)
        if said["aid"] != account.id:
            reason = "the account is not the one of the certificate"
            raise self._refusal(account.id, Code.FORBIDDEN, reason, endpoint)

    def _device_id(self, account: Account, certificate: DeveloperCertificate, said: dict[str, str]) -> str:
        """Return the id that a device has or gets.

        :raises Refused: it says that it is a device that it cannot be, or there is no room for it.
        """
        internal = said.get("iep")
        if internal is not None:
            if self.directory.own_device(account, certificate, internal) is not None:
                return internal
            # It may have been told so by a bootstrap whose end is unknown, or was deleted from the directory.
            reserved = self._reservations.of(internal, certificate.der)
            if reserved is None and not self._was_own(certificate, internal):
                reason = "the internal endpoint name is of no device with this certificate"
                raise self._refusal(account.id, Code.FORBIDDEN, reason, said["ep"])
        try:
            self.directory.check_room(
                account,
                certificate,
                now=self.clock.now(account.id),
                reserved=self._reservations.under_way(certificate.der),
            )
        except TooManyDevices as full:
            raise self._refusal(account.id, Code.FORBIDDEN, str(full), said["ep"]) from None
        return internal or new_id()

    def _was_own(self, certificate: DeveloperCertificate, internal: str) -> bool:
        return internal in certificate.ever and self.directory.device(internal) is None

    def _refusal(self, account_id: str, code: Code, reason: str, endpoint: str) -> Refused:
        if code == Code.FORBIDDEN:
            code = Code(code_of(self._choices.bootstrap_refusal))
        return self.refuse(account_id, REFUSED, code, reason, endpoint=endpoint)

    # What it is given --------------------------------------------------------------------------------

    async def _bootstrap(self, visit: _Visit) -> None:
        """Lead a device through its bootstrap; the connection ends when a step fails.

        :raises LinkEnded: a step failed.
        """
        try:
            for step, work in self._steps.items():
                visit.step = step
                await work(visit, self.strike(visit.account.id, step))
        except (_Failed, Refused, Unanswered, LinkEnded, TooManyDevices, CertificateGone) as failure:
            self._note_failure(visit, str(failure))
            raise LinkEnded(str(failure)) from None
        except (Held, Dropped):
            self._note_failure(visit, "a fault was ordered")
            raise

    def _break_off(self, reservation: Reservation) -> None:
        """Give a place back whose bootstrap will not be finished any more."""
        if reservation.under_way:
            self._reservations.broken_off(reservation)

    def _plan(self) -> dict[str, Callable[[_Visit, Fault | None], Awaitable[None]]]:
        """Return the steps of a bootstrap in their order, by their names."""
        steps = {"delete": self._delete} if self._choices.objects_deleted else {}
        steps["security"] = partial(self._write, _SECURITY, self._security)
        steps["server"] = partial(self._write, _SERVER, _server)
        if self._choices.time_told:
            steps["device"] = partial(self._write, _DEVICE, self._time)
        return {**steps, "finish": self._finish}

    async def _delete(self, visit: _Visit, _fault: Fault | None) -> None:
        _expect(await visit.session.ask(Code.DELETE, [_SECURITY]), Code.DELETED)

    async def _write(
        self, path: str, content: Callable[[_Visit, Fault | None], bytes], visit: _Visit, fault: Fault | None
    ) -> None:
        payload = content(visit, fault)
        if fault is not None and fault.kind == "damaged-tlv":
            payload = payload[:-1]
        content_format = OLD_CONTENT_FORMAT if self._choices.old_tlv else CONTENT_FORMAT
        answer = await visit.session.ask(Code.PUT, [path], content_format=content_format, payload=payload)
        _expect(answer, Code.CHANGED)

    async def _finish(self, visit: _Visit, _fault: Fault | None) -> None:
        """Tell a device that it is bootstrapped, and count it when it says that it knows."""
        reservation, der = visit.reservation, visit.credential.certificate
        if self.directory.developer_certificate(reservation.developer) is None:
            raise CertificateGone("the developer certificate is not trusted any more")
        reservation.told.append(der)
        _expect(await visit.session.ask(Code.POST, ["bs"]), Code.CHANGED)
        device = self._reservations.finish(reservation, der)
        self._lwm2m.bootstrapped_again(device.id)

    def _security(self, visit: _Visit, fault: Fault | None) -> bytes:
        """Return object 0: where the LwM2M server is and by what both know each other."""
        kind = "" if fault is None else fault.kind
        certificate = visit.credential.certificate
        if kind == "wrong-device-certificate":
            now = self.clock.now(visit.account.id)
            device_id = visit.reservation.device_id
            certificate = self._issuing.lwm2m.issue_device(device_id, visit.account.id, now).certificate
        authority = self._issuing.stranger if kind == "wrong-server-certificate" else self._issuing.lwm2m
        resources = [
            (0, self._lwm2m.server_uri.encode()),
            (1, b"\0"),  # it is not a bootstrap server
            (2, integer(_CERTIFICATE_MODE)),
            (3, certificate),
            (4, authority.der),
            (5, visit.credential.key),
            (10, integer(_SHORT_SERVER_ID)),
        ]
        return encode([instance(0, resources)])

    def _time(self, visit: _Visit, _fault: Fault | None) -> bytes:
        """Return object 3: the time (OMA LwM2M 1.0, appendix E.4)."""
        return encode([instance(0, [(13, integer(int(self.clock.now(visit.account.id).timestamp())))])])

    def _note_failure(self, visit: _Visit, reason: str) -> None:
        self.directory.note(
            visit.account.id,
            FAILED,
            endpoint=common_name(visit.reservation.developer),
            device_id=visit.reservation.device_id,
            step=visit.step,
            reason=reason,
        )


def _server(_visit: _Visit, _fault: Fault | None) -> bytes:
    """Return object 1: how the device is to stay registered (OMA LwM2M 1.0, appendix E.2)."""
    resources = [
        (0, integer(_SHORT_SERVER_ID)),
        (1, integer(_LIFETIME_SECONDS)),
        (6, b"\1"),  # notifications are kept while the device is away
        (7, b"U"),
    ]
    return encode([instance(0, resources)])


def _expect(answer: Message, code: Code) -> None:
    if answer.code != code:
        _fail(f"the device answered {written(answer.code)}, expected {written(code)}")


def _fail(reason: str) -> NoReturn:
    raise _Failed(reason)
