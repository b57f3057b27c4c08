"""Conversations of CoAP over TLS, and the door that begins them: what the two servers have in common.

Both ends ask and answer over one connection (pelion fact sheet, section 6.2). A server here has one question
under way at a time. Requests that come twice get the same answer twice (RFC 7252, section 4.5).
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cryptography import x509
from cryptography.x509.oid import NameOID

from harness_pelion.fake.coap import (
    BadOption,
    Code,
    Message,
    MessageError,
    Option,
    Type,
    check_options,
    encode,
    parse,
    path_options,
    reset,
    uint,
)
from harness_pelion.fake.tls import LinkEnded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from harness_pelion.fake.limits import Limits
    from harness_pelion.fake.tls import SecureLink

_REMEMBERED = 16
"""Requests of a connection whose answers are kept, for when they come again."""


class Refused(Exception):
    """A request is not served.

    :ivar code: what it is answered.
    """

    def __init__(self, code: int, reason: str) -> None:
        """Say why."""
        super().__init__(reason)
        self.code = code


class Unanswered(Exception):
    """A question got no answer that could be used: a reset, or none in time."""


class Held(Exception):
    """A fault: from now on nothing is said and nothing is heard."""


class Dropped(Exception):
    """A fault: the connection ends at once, without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request is answered.

    :ivar then: what follows as soon as the answer is sent.
    """

    code: int
    options: tuple[tuple[int, bytes], ...] = ()
    payload: bytes = b""
    then: Callable[[], Awaitable[None]] | None = None


class Host(Protocol):
    """What a conversation needs of its server."""

    def serve(self, session: Session, request: Message) -> Answer:
        """Answer a request whose options are known.

        :raises Refused: it is not served.
        :raises BadOption: its query or its options make no sense.
        """

    def keeps(self, session: Session) -> bool:
        """Tell whether a connection may stay although nothing is said."""


@dataclass(slots=True)
class _Question:
    """What was asked and is not answered yet."""

    message_id: int
    token: bytes
    answer: asyncio.Future[Message]


class Session:
    """One conversation with one device.

    :ivar certificate: DER of the certificate that the device showed.
    :ivar working: whether something that follows an answer is under way.
    :ivar at_end: called when the conversation is over, also when what was to follow an answer never began.
    """

    def __init__(self, link: SecureLink, certificate: bytes, host: Host, limits: Limits) -> None:
        """Converse.

        :param link: its handshake is over.
        :param host: answers the device's requests.
        :param limits: how long the device may take.
        """
        self._limits = limits
        self.certificate = certificate
        self.working = False
        self.at_end: Callable[[], object] | None = None
        self._link = link
        self._host = host
        self._question: _Question | None = None
        self._asking = asyncio.Lock()
        self._message_id = secrets.randbelow(1 << 16)
        self._answered: OrderedDict[bytes, bytes] = OrderedDict()
        self._nonsense = 0
        self._deaf = False
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Converse until the device goes, or says nothing for too long.

        :raises LinkEnded: the connection is broken, or the server ended the conversation.
        :raises Held: a fault.
        :raises Dropped: a fault.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._listen())
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        finally:
            if self.at_end is not None:
                self.at_end()

    async def ask(
        self, code: Code, path: Sequence[str], *, content_format: int | None = None, payload: bytes = b""
    ) -> Message:
        """Ask the device for something.

        :return: its answer, whatever that says.
        :raises Unanswered: none came in time, or the device rejected the question.
        :raises LinkEnded: the device went away.
        """
        options = list(path_options(path))
        if content_format is not None:
            options.append((Option.CONTENT_FORMAT, uint(content_format)))
        async with self._asking:
            if self._deaf:
                raise LinkEnded("the device went away")
            question = _Question(
                self._next_id(), secrets.token_bytes(4), asyncio.get_running_loop().create_future()
            )
            self._question = question
            try:
                await self._send(
                    Message(
                        type=Type.CON,
                        code=code,
                        message_id=question.message_id,
                        token=question.token,
                        options=tuple(options),
                        payload=payload,
                    )
                )
                async with asyncio.timeout(self._limits.answer_seconds):
                    return await question.answer
            except TimeoutError:
                raise Unanswered(f"no answer within {self._limits.answer_seconds:g} s") from None
            finally:
                self._question = None

    async def _listen(self) -> None:
        try:
            while (data := await self._next_message()) is not None:
                await self._take(data)
        finally:
            self._deaf = True
            if self._question is not None and not self._question.answer.done():
                self._question.answer.set_exception(LinkEnded("the device went away"))

    async def _next_message(self) -> bytes | None:
        while True:
            try:
                return await self._link.receive(self._limits.idle_seconds)
            except TimeoutError:
                if not self.working and not self._host.keeps(self):
                    raise LinkEnded(f"nothing was said for {self._limits.idle_seconds:g} s") from None

    async def _take(self, data: bytes) -> None:
        """Take a message; what is none is rejected or ignored (RFC 7252, section 4.2)."""
        try:
            message = parse(data)
        except MessageError as wrong:
            self._nonsense += 1
            if wrong.reset is not None:
                await self._link.send(wrong.reset)
            if self._nonsense > self._limits.nonsense:
                raise LinkEnded("the device sends nothing that can be read") from None
            return
        if message.is_request:
            await self._answer(message, data)
        elif message.code == Code.EMPTY and message.type is Type.CON:
            await self._link.send(reset(message.message_id))  # how one asks whether we are there
        else:
            await self._take_answer(message)

    async def _take_answer(self, message: Message) -> None:
        question = self._question
        if message.type in {Type.ACK, Type.RST}:
            if question is None or question.message_id != message.message_id or question.answer.done():
                return
            if message.type is Type.RST:
                question.answer.set_exception(Unanswered("the device rejected the message"))
            elif message.code != Code.EMPTY and message.token == question.token:
                question.answer.set_result(message)
            return
        mine = question is not None and question.token == message.token
        if message.type is Type.CON:
            empty = Message(
                type=Type.ACK if mine else Type.RST, code=Code.EMPTY, message_id=message.message_id
            )
            await self._send(empty)
        if mine and question is not None and not question.answer.done():
            question.answer.set_result(message)

    async def _answer(self, request: Message, data: bytes) -> None:
        """Answer a request; one that came before, byte for byte, gets the answer that it got."""
        if data in self._answered:
            await self._link.send(self._answered[data])
            return
        answer = self._answer_of(request)
        confirmable = request.type is Type.CON
        message = encode(
            Message(
                type=Type.ACK if confirmable else Type.NON,
                code=answer.code,
                message_id=request.message_id if confirmable else self._next_id(),
                token=request.token,
                options=answer.options,
                payload=answer.payload,
            )
        )
        self._answered[data] = message
        while len(self._answered) > _REMEMBERED:
            self._answered.popitem(last=False)
        await self._link.send(message)
        if answer.then is not None and self._group is not None:
            self.working = True
            self._group.create_task(self._follow(answer.then))

    async def _follow(self, then: Callable[[], Awaitable[None]]) -> None:
        try:
            await then()
        finally:
            self.working = False

    def _answer_of(self, request: Message) -> Answer:
        try:
            check_options(request)
            return self._host.serve(self, request)
        except (Refused, BadOption) as refused:
            return Answer(code=refused.code, payload=str(refused).encode())

    def _next_id(self) -> int:
        self._message_id = (self._message_id + 1) & 0xFFFF
        return self._message_id

    async def _send(self, message: Message) -> None:
        await self._link.send(encode(message))


def common_name(certificate: bytes) -> str | None:
    """Return the CN of a certificate, ``None`` when it has none or several or cannot be read."""
    return _only(certificate, NameOID.COMMON_NAME)


def organisational_unit(certificate: bytes) -> str | None:
    """Return the OU of a certificate, where the service writes the account (pelion fact sheet, section 3)."""
    return _only(certificate, NameOID.ORGANIZATIONAL_UNIT_NAME)


def _only(certificate: bytes, oid: x509.ObjectIdentifier) -> str | None:
    try:
        values = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(oid)
    except ValueError:
        return None
    return str(values[0].value) if len(values) == 1 else None
