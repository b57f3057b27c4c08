"""What the tiny vendor names as ``module:attribute``; imported in the process that uses it."""

from __future__ import annotations

import os
import re
import urllib.request
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from harness.backends.contract import Exchange
from harness.errors import BackendFault, BackendUnreachable, BoardFault, UsageError
from tests.pytest_plugin.toy.vendor import note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from harness.backends.contract import Backend, BackendSession, FakeSettings
    from harness.backends.ledger import Entry
    from harness.inventory.leased_board import LeasedBoard
    from harness.virtual.contract import BoardHost, VirtualBoardSpec


_ANSWER = re.compile(rb"= ?([^\r]*)\r\n")


class ToyBoard:
    """Remembers one value: ``SET x`` and ``GET`` are answered ``= x``; ``SAY x`` is answered ``x``."""

    def __init__(self, host: BoardHost) -> None:
        self._host = host
        self._value = b""
        self._line = b""

    def power_on(self) -> None:
        self._host.send("console", b"toy ready\r\n")

    def power_off(self) -> None:
        self._line = b""

    def reset(self) -> None:
        self._line = b""

    def receive(self, role: str, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            command, _, argument = line.strip().partition(b" ")
            if command == b"SET":
                self._value = argument
            answer = argument if command == b"SAY" else b"= " + self._value
            self._host.send("console", answer + b"\r\n")

    def clear_faults(self) -> None:
        """It has none."""

    def describe(self) -> Mapping[str, str]:
        return {"colour": "red"}

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        raise ValueError(method)

    def close(self) -> None:
        """Nothing runs."""


def create_board(host: BoardHost, spec: VirtualBoardSpec) -> ToyBoard:
    """Make a toy."""
    return ToyBoard(host)


class ToyDriver:
    """Sets and gets the board's value, and puts an empty one back; :meth:`change` keeps accounts too."""

    def __init__(self, board: LeasedBoard) -> None:
        self._board = board
        self._account: int | None = None

    def _ask(self, line: str) -> str:
        self._board.console.write(line.encode() + b"\n")
        match = self._board.console.expect(_ANSWER, timeout=5, reason=f"answer to {line}")
        return (match.groups[0] or b"").decode()

    def set(self, value: str) -> None:
        self._ask(f"SET {value}")

    def get(self) -> str:
        return self._ask("GET")

    def change(self, value: str) -> None:
        self._account = self._board.accounts.note("board-state", self._board.id, value=self.get())
        self.set(value)

    def recover(self, details: Mapping[str, str]) -> None:
        note(f"recover {self._board.id} {self.get()} {dict(details)}")
        if os.environ.get("TOY_RECOVER_FAILS"):
            raise BoardFault("the toy stays as it is")
        self.set(details["value"])

    def restore(self) -> None:
        note(f"restore {self._board.id} {self.get()}")
        if os.environ.get("TOY_RESTORE_FAILS"):
            raise BoardFault("the toy stays as it is")
        self.set("")
        if self._account is not None:
            self._board.accounts.settle(self._account)


class ToyClient:
    """Greets the service, and keeps accounts of things that it makes nowhere."""

    def __init__(self, backend: Backend, session: BackendSession) -> None:
        self._backend = backend
        self._session = session
        self.capabilities = backend.capabilities
        self.worker = session.worker
        self.run_id = session.run_id
        self._made: list[int] = []
        if os.environ.get("TOY_CONNECT_FAILS"):
            raise UsageError("no key for the toys", key="TOY_KEY")
        session.register_secret("balloon-key", "key")

    def make(self, thing: str) -> None:
        self._made.append(self._session.accounts.note("thing", thing))

    def undo_entry(self, entry: Entry) -> str:
        note(f"undo_entry {entry.subject} of {entry.worker} by {self.worker}")
        if entry.subject == "silent":
            raise BackendUnreachable("the service is silent")
        if entry.subject == "stuck":
            raise BackendFault("the thing is stuck")
        return "undone"

    def greet(self) -> str:
        url = f"{self._backend.url}/hello"
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own fake's address
            body: bytes = answer.read()
        self._session.on_exchange(
            Exchange(
                operation="Greet",
                method="GET",
                url=url,
                request_headers={},
                request_body=b"",
                status=200,
                response_headers={},
                response_body=body,
                seconds=0.1,
            )
        )
        return body.decode()

    def undo(self) -> None:
        note("undo")
        for number in self._made:
            self._session.accounts.settle(number)

    def forget(self) -> None:
        note("forget")

    def close(self) -> None:
        note("client closed")


async def _hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


class ToyFake:
    """Says hello."""

    def __init__(self) -> None:
        self.service = Starlette(routes=[Route("/hello", _hello)])
        self.control = Starlette()


def refuse_locked(backend: Backend) -> None:
    """Refuse an address that needs a key which nobody has."""
    if "//locked" in backend.url:
        raise UsageError("no key for a locked address", key="--backend", value=backend.url)


def create_fake(settings: FakeSettings) -> ToyFake:
    """Make the service."""
    return ToyFake()
