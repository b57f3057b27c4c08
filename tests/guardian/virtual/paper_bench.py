"""A virtual component on a paper bench: what a host says to it by its console."""

from __future__ import annotations

import base64
from typing import Any

from harness_guardian.virtual.board import create
from tests.virtual.paper_bench import PaperBoard

PIECE = 740


class Refused(Exception):
    """The board answered a command with an error.

    :ivar code: its number.
    """

    def __init__(self, line: str) -> None:
        self.code = int(line.split()[1])
        super().__init__(line)


class BoardInHand(PaperBoard):
    """A virtual component on a paper bench, driven from the test's thread over its console."""

    def __init__(self, kind: str, number: int, options: dict[str, Any]) -> None:
        super().__init__(create, kind, number, options)

    def say(self, line: str) -> str:
        """Give a command and return its whole answer, without what comes unasked."""
        start = self.type(line.encode() + b"\r")
        answer = self.host.wait(lambda sent: _ended(sent) is not None, start).decode()
        return "".join(f"{each}\n" for each in answer.splitlines() if not each.startswith("+"))

    def ask(self, line: str) -> dict[str, str]:
        """Give a command that must succeed, and return what it says by key.

        :raises Refused: it was refused.
        """
        *lines, final = self.say(line).splitlines()
        if final != "OK":
            raise Refused(final)
        return dict(each.split(": ", 1) for each in lines)

    def status(self) -> dict[str, str]:
        """Return what the agent says of itself."""
        return self.ask("status")

    def put(self, name: str, content: bytes) -> None:
        """Write a file."""
        for start in range(0, max(1, len(content)), PIECE):
            piece = base64.b64encode(content[start : start + PIECE]).decode()
            self.ask(f"put {name} {start} {piece}".rstrip())

    def get(self, name: str) -> bytes:
        """Read a file."""
        content = b""
        while True:
            said = self.ask(f"get {name} {len(content)}")
            content += base64.b64decode(said["data"])
            if len(content) == int(said["size"]):
                return content

    def start(self, words: str = "") -> int:
        """Begin to provision, and return what had been sent before."""
        start = len(self.host.sent())
        self.ask(f"provision {words}".rstrip())
        return start

    def outcome(self, start: int) -> str:
        """Wait until provisioning has ended, and return what was announced of it."""
        said = self.host.wait_said(
            b"\r\n", self.host.wait_said(b"+PROVISION", start).index(b"+PROVISION") + start
        )
        return said.decode().splitlines()[0].removeprefix("+PROVISION: ")

    def provision(self, words: str = "") -> str:
        """Provision, and return how it ended."""
        return self.outcome(self.start(words))


def _ended(sent: bytes) -> bytes | None:
    """Return the final line of an answer, if it is there."""
    *lines, rest = sent.split(b"\r\n")
    del rest
    return next((line for line in lines if line == b"OK" or line.startswith(b"ERROR ")), None)
