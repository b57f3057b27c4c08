"""What fakes speak: whole answers in one piece."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from uvicorn import Config
from uvicorn.server import ServerState

from harness.backends.http_protocol import FakeHttpProtocol, WholeAnswers

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send


class Transport:
    """Keeps what is done with it."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def write(self, data: bytes) -> None:
        """Keep a piece."""
        self.done.append(data)

    def close(self) -> None:
        """Keep the end."""
        self.done.append("closed")

    def is_closing(self) -> bool:
        """Tell whether it was closed."""
        return "closed" in self.done


class Round:
    """A loop that runs its calls when it is told to."""

    def __init__(self) -> None:
        self._calls: list[Callable[[], None]] = []

    def call_soon(self, call: Callable[[], None]) -> None:
        """Keep a call for the next round."""
        self._calls.append(call)

    def run(self) -> int:
        """Run a round; return how many calls there were."""
        calls, self._calls = self._calls, []
        for call in calls:
            call()
        return len(calls)


@pytest.fixture
def transport() -> Transport:
    """What is written to in the end."""
    return Transport()


@pytest.fixture
def loop() -> Round:
    """The loop."""
    return Round()


@pytest.fixture
def whole(transport: Transport, loop: Round) -> WholeAnswers:
    """What joins."""
    double: Any = transport
    return WholeAnswers(double, loop.call_soon)


def test_head_and_body_are_one_piece(whole: WholeAnswers, transport: Transport, loop: Round) -> None:
    """What one round writes leaves once, in order; the next round begins anew."""
    whole.write(b"head")
    whole.write(b"body")
    assert transport.done == []

    assert loop.run() == 1
    whole.write(b"more")
    assert loop.run() == 1

    assert transport.done == [b"headbody", b"more"]


def test_nothing_is_lost_at_the_end(whole: WholeAnswers, transport: Transport, loop: Round) -> None:
    """Closing sends what waits first, and the round that comes then sends nothing."""
    whole.write(b"last words")
    assert not whole.is_closing()
    whole.close()
    loop.run()

    assert transport.done == [b"last words", "closed"]
    assert whole.is_closing()


def test_hanging_up_says_nothing(whole: WholeAnswers, transport: Transport) -> None:
    """A connection that is closed without an answer gets not a byte."""
    whole.close()

    assert transport.done == ["closed"]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the verb and the body."""
    request = Request(scope, receive)
    body = (await request.body()).decode()
    await PlainTextResponse(f"<{request.method} {body}>")(scope, receive, send)


async def answers_to(*pieces: bytes) -> list[str]:
    """Send pieces through one connection, each when the one before it is answered; return the answers."""
    config = Config(echo, loop="none", ws="none", lifespan="off", log_level="critical")
    config.load()

    def protocol() -> FakeHttpProtocol:
        return FakeHttpProtocol(config=config, server_state=ServerState(), app_state={})

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    async with server, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        answers = []
        for piece in pieces:
            writer.write(piece)
            end = b"\r\n\r\n" if b"100-continue" in piece else b">"
            answers.append((await reader.readuntil(end)).decode().rpartition("\n<")[2].strip())
        writer.close()
        await writer.wait_closed()
        return answers


def test_verb_of_vault_is_taken() -> None:
    """LIST, which HTTP does not know, reaches the application as it was sent, also as a later request."""
    list_, get = b"LIST /v1/a HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    assert asyncio.run(answers_to(list_, get, list_)) == ["LIST >", "GET >", "LIST >"]


def test_body_that_begins_with_that_verb_stays_as_it_is() -> None:
    """Only a request's first word is its verb: a body that comes later and begins so is not touched."""
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"

    assert asyncio.run(answers_to(head, b"LIST of 9")) == ["HTTP/1.1 100 Continue", "POST LIST of 9>"]
