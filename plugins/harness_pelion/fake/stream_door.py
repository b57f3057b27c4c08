"""The door that both servers have: it takes a connection, judges the certificate and begins the conversation.

How many may be open, and how long each may take for what, is limited: a device that stops halfway must not
hold the fake up, and the fake's end must not wait for one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from cryptography import x509

from harness_pelion.fake.coap import read_code, written
from harness_pelion.fake.stream import Dropped, Held, Refused, Session, common_name, organisational_unit
from harness_pelion.fake.tls import (
    ACCESS_DENIED,
    BAD_CERTIFICATE,
    CERTIFICATE_EXPIRED,
    Contexts,
    HandshakeRefused,
    LinkEnded,
    SecureLink,
    trust,
)

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Callable, Sequence

    from harness_pelion.fake.choices import Choices
    from harness_pelion.fake.clock import Clock
    from harness_pelion.fake.coap import Code, Message
    from harness_pelion.fake.directory import Directory
    from harness_pelion.fake.faults import Fault, Faults
    from harness_pelion.fake.issuing import Credential
    from harness_pelion.fake.limits import Limits
    from harness_pelion.fake.stream import Answer

_USUAL_REFUSAL = "4.03"
"""What an ordered refusal answers unless the order says otherwise."""


class StreamServer(ABC):
    """A server of devices; a :class:`~harness.backends.contract.StreamDoor`.

    :ivar url: set by the runner as soon as somebody listens there, for example ``coaps+tcp://127.0.0.1:5684``.
    """

    scheme = "coaps+tcp"
    part = ""

    def __init__(
        self,
        directory: Directory,
        clock: Clock,
        faults: Faults,
        *,
        credential: Credential,
        anchors: Callable[[], Sequence[bytes]],
        choices: Choices,
        limits: Limits,
    ) -> None:
        """Serve devices that are in a directory.

        :param clock: tells whether certificates have expired.
        :param faults: what is to go wrong.
        :param credential: what the server shows.
        :param anchors: returns the DER of every certificate that it trusts now.
        :param choices: what it does where nobody knows what the real one does.
        :param limits: how long devices may take, and how many there may be.
        """
        self._choices = choices
        self._limits = limits
        self.url = ""
        self.directory = directory
        self.clock = clock
        self._faults = faults
        self._contexts = Contexts(credential, anchors)
        self._open = 0

    @property
    def server_uri(self) -> str:
        """The address as devices know it, for example ``coaps://127.0.0.1:5684``."""
        return self.url.replace("coaps+tcp://", "coaps://", 1)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until its end."""
        if self._open >= self._limits.connections:
            self.directory.note("", "connection refused", server=self.part, reason="too many are open")
            return
        check = self._check
        if self._choices.refused_in_handshake:
            context = self._contexts.current()
        else:
            context = self._contexts.for_anybody()
            check = partial(self._check_and_trust, context)
        link = SecureLink(reader, writer, context, self._limits)
        self._open += 1
        try:
            certificate = await link.shake_hands(check)
            await Session(link, certificate, self, self._limits).run()
            await link.close()
        except HandshakeRefused as refused:
            self._note_refusal(refused)
            await link.say_farewell(refused)
        except LinkEnded as ended:
            self.directory.note("", "connection ended", server=self.part, reason=str(ended))
            await link.close()
        except Held:
            await link.wait_until_closed(self._limits.hold_seconds)
        except Dropped:
            writer.transport.abort()
        finally:
            self._open -= 1

    @abstractmethod
    def serve(self, session: Session, request: Message) -> Answer:
        """Answer a request; see :class:`~harness_pelion.fake.stream.Host`.

        Whose certificate it is has to be looked at with each one: it may not be trusted any more, or not at
        all (``refused_in_handshake`` of :mod:`harness_pelion.fake.choices`).
        """

    def keeps(self, session: Session) -> bool:  # noqa: ARG002 - whoever has a reason overrides it
        """Tell whether a connection may stay although nothing is said."""
        return False

    def account_of(self, certificate: bytes) -> str:
        """Return the id of the account that a certificate belongs to, empty when that is none we know."""
        account_id = organisational_unit(certificate) or ""
        return account_id if account_id in self.directory.accounts else ""

    def strike(self, account_id: str, step: str) -> Fault | None:
        """Let a step go wrong as it was ordered.

        :return: a fault of another kind than those that every step may have.
        :raises Refused: it is to be refused.
        :raises Held: the connection is to be held.
        :raises Dropped: it is to be closed.
        """
        fault = self._faults.next(self.part, account_id, step)
        if fault is None:
            return None
        self.directory.note(account_id, "fault", server=self.part, kind=fault.kind, step=step)
        if fault.kind == "hold":
            raise Held
        if fault.kind == "close":
            raise Dropped
        if fault.kind == "refuse":
            raise Refused(read_code(fault.details.get("code", _USUAL_REFUSAL)), "a fault was ordered")
        return fault

    def refuse(self, account_id: str, what: str, code: Code, reason: str, **details: str) -> Refused:
        """Note a refusal and return it, to be raised."""
        self.directory.note(account_id, what, server=self.part, code=written(code), reason=reason, **details)
        return Refused(code, reason)

    def _check(self, certificate: bytes) -> None:
        """Judge what OpenSSL does not: the time by the account's clock, and the faults.

        A certificate of nobody is OpenSSL's to refuse.
        """
        account_id = self.account_of(certificate)
        if not account_id:
            return
        now = self.clock.now(account_id)
        shown = x509.load_der_x509_certificate(certificate)
        if now > shown.not_valid_after_utc:
            raise HandshakeRefused("the certificate has expired", alert=CERTIFICATE_EXPIRED)
        if now < shown.not_valid_before_utc:
            raise HandshakeRefused("the certificate is not valid yet", alert=BAD_CERTIFICATE)
        try:
            self.strike(account_id, "handshake")
        except Refused as refused:
            raise HandshakeRefused(str(refused), alert=ACCESS_DENIED) from None

    def _check_and_trust(self, context: ssl.SSLContext, certificate: bytes) -> None:
        self._check(certificate)
        trust(context, certificate)

    def _note_refusal(self, refused: HandshakeRefused) -> None:
        self.directory.note(
            self.account_of(refused.certificate),
            "handshake refused",
            server=self.part,
            reason=str(refused),
            common_name=common_name(refused.certificate),
        )
