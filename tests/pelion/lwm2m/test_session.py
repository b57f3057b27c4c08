"""A conversation on a link of paper: what is asked of a device that has gone already."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from harness_pelion.fake.coap import Code
from harness_pelion.fake.limits import Limits
from harness_pelion.fake.stream import Answer, Session
from harness_pelion.fake.tls import LinkEnded

if TYPE_CHECKING:
    from harness_pelion.fake.coap import Message
    from harness_pelion.fake.tls import SecureLink

#: POST /bs, confirmable, without token; and its answer 2.04 (RFC 7252, section 3).
REQUEST, ANSWER = bytes.fromhex("40021234b26273"), bytes.fromhex("60441234")
DEADLINE = 10.0


class PaperLink:
    """A device that sends one request and goes.

    :ivar sent: what it was sent.
    :ivar gone: set as soon as it has gone.
    """

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.gone = asyncio.Event()
        self._left = [REQUEST]

    async def receive(self, _seconds: float) -> bytes | None:
        """Return its request, then that nothing comes any more."""
        if self._left:
            return self._left.pop()
        self.gone.set()
        return None

    async def send(self, data: bytes) -> None:
        self.sent.append(data)


class Inquisitive:
    """A server that asks a device something when it has gone."""

    def __init__(self, link: PaperLink) -> None:
        self._link = link

    def serve(self, session: Session, request: Message) -> Answer:
        """Answer, and ask then."""
        assert request.path == ("bs",)
        return Answer(code=Code.CHANGED, then=lambda: self._ask(session))

    def keeps(self, _session: Session) -> bool:
        return False

    async def _ask(self, session: Session) -> None:
        await self._link.gone.wait()
        await session.ask(Code.DELETE, ["0"])


def test_a_device_that_has_gone_is_asked_nothing() -> None:
    """The conversation ends at once: nothing is sent to nobody, and no answer is waited for."""

    async def converse() -> list[bytes]:
        link = PaperLink()
        session = Session(cast("SecureLink", link), b"", Inquisitive(link), Limits(answer_seconds=60))
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(LinkEnded, match="the device went away"):
                await session.run()
        return link.sent

    assert asyncio.run(converse()) == [ANSWER]
