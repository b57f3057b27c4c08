"""A component that exists on paper only: the agent's dialect, and nothing behind it.

It shares no code with the virtual component: what both understand, the dialect says.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from harness.console import Console
from harness.inventory.board import Board, Endpoint
from tests.console.conftest import PtyBoard

if TYPE_CHECKING:
    from collections.abc import Callable

SERIAL = "8f3f2d0c9a11"
DIGEST = "ab" * 32


class PaperComponent:
    """Answers each line; what it is to answer otherwise is said by word.

    :ivar heard: every line that it was sent.
    :ivar said: answers by the first word of a line, in the place of its own; each a text or a function.
    """

    def __init__(self, state: str = "blank", service: str = "-") -> None:
        self.heard: list[str] = []
        self.said: dict[str, str | Callable[[list[str]], str]] = {}
        self.files: dict[str, bytes] = {}
        self.state = state
        self.service = service
        self.who = ("-", "-", "-")
        self.lines: list[str] = []
        self.port = PtyBoard()
        self.port.answer(self._respond)

    def say(self, line: str) -> None:
        """Say a line unasked."""
        self.port.say(f"{line}\r\n".encode())

    def close(self) -> None:
        """End."""
        self.port.close()

    def board(self, **facts: object) -> Board:
        """Describe it as a rig does."""
        console = Endpoint(role="console", url=self.port.path, discipline="guardian-agent")
        described: dict[str, object] = {"endpoints": {"console": console}, **facts}
        return Board(id="desk", kind="guardian-component", driver="guardian-component", **described)  # type: ignore[arg-type]  # facts of a board

    def console(self) -> Console:
        """Open its console."""
        return Console.open(Endpoint(role="console", url=self.port.path), name="desk", directory=None)

    @property
    def words(self) -> list[str]:
        """The first words of what it was sent."""
        return [line.partition(" ")[0] for line in self.heard]

    def _respond(self, line: bytes) -> bytes:
        text = line.decode()
        self.heard.append(text)
        word, *rest = text.split(" ")
        answer = self.said.get(word)
        if answer is None:
            answer = getattr(self, f"_{word}", self._nothing)
        said = answer if isinstance(answer, str) else answer(rest)
        return said.replace("\n", "\r\n").encode()

    @staticmethod
    def _nothing(_rest: list[str]) -> str:
        return "OK\n"

    def _identify(self, _rest: list[str]) -> str:
        component, hw_id, instance = self.who
        return (
            f"serial: {SERIAL}\nmodel: Paper 1\nfirmware: 2.0\n"
            f"component: {component}\nhw_id: {hw_id}\ninstance: {instance}\nOK\n"
        )

    def _status(self, _rest: list[str]) -> str:
        component, hw_id, instance = self.who
        return (
            f"state: {self.state}\nsystem: Paper works\ninstance: {instance}\ncomponent: {component}\n"
            f"hw_id: {hw_id}\nrequest_id: -\nresponse_id: -\ncertificates: {len(self.lines)}\n"
            f"service: {self.service}\nOK\n"
        )

    def _init(self, rest: list[str]) -> str:
        self.who = (rest[0], rest[1], rest[2] if rest[2:] else "-")
        self.state = "ready"
        return "OK\n"

    def _service(self, rest: list[str]) -> str:
        self.service = rest[0]
        return "OK\n"

    def _put(self, rest: list[str]) -> str:
        name, offset, *data = rest
        piece = base64.b64decode(data[0]) if data else b""
        self.files[name] = self.files.get(name, b"")[: int(offset)] + piece
        return "OK\n"

    def _get(self, rest: list[str]) -> str:
        name, offset = rest
        if name not in self.files:
            return f"ERROR 3 FILENOTFOUND: there is no file {name}\n"
        piece = self.files[name][int(offset) : int(offset) + 600]
        return f"size: {len(self.files[name])}\ndata: {base64.b64encode(piece).decode()}\nOK\n"

    def _certificates(self, _rest: list[str]) -> str:
        return "".join(f"{line}\n" for line in self.lines) + "OK\n"

    def _request(self, _rest: list[str]) -> str:
        self.files["request"] = b'{"protected":"..."}'
        return "request_id: 6d0a\nOK\n"

    def _cancel(self, _rest: list[str]) -> str:
        return "ERROR 1 FAIL: nothing is under way\n"

    def _erase(self, _rest: list[str]) -> str:
        self.state, self.service, self.who, self.files = "blank", "-", ("-", "-", "-"), {}
        self.lines = []
        return "OK\n"
