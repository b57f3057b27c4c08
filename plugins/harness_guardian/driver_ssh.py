"""The agent over SSH: the same words as an exec request, files by standard input and output.

``guardian-agent WORDS`` ends with the agent's number as its exit status; what it has to say is on standard
output and, when it refuses, on standard error. Source: guardian fact sheet, section 10.6; the words are ours.
"""

from __future__ import annotations

import re
import shlex
import time
from typing import TYPE_CHECKING

from harness.errors import BoardFault
from harness.evidence import step
from harness_guardian.driver_link import COMMAND_SECONDS, LARGEST_FILE
from harness_guardian.driver_models import AgentRefused, Outcome, Reply, code_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.ssh import Ended, Execution, SshConnection

AGENT = "guardian-agent"
#: What a shell answers when there is no such program (POSIX, section 2.8.2 of the shell's description).
NOT_FOUND = 127

# A refusal, and the end of provisioning: as on a console, but they are the last of other words.
_REFUSED = re.compile(r"^ERROR [0-9]{1,3} ([A-Z_]+)(?:: ?(.*))?$", re.MULTILINE)
_ENDED = re.compile(r"^\+PROVISION: [0-9]{1,3} ([A-Z_]+) ?(.*)$", re.MULTILINE)
_SHOWN = 200


class SshLink:
    """Speaks with the agent by exec requests."""

    def __init__(self, endpoint: Callable[[], SshConnection], board: str) -> None:
        """Speak over an endpoint, which is opened with the first command.

        :param endpoint: gives the endpoint; another one after the board was closed.
        :param board: id of the board, for messages.
        """
        self._endpoint = endpoint
        self._board = board

    def run(
        self, words: Sequence[str], *, timeout: float = COMMAND_SECONDS, shown: str | None = None
    ) -> Reply:
        """Have the agent execute a command; see :class:`~harness_guardian.driver_link.AgentLink`."""
        return self._run(words, b"", timeout, shown)

    def _run(self, words: Sequence[str], stdin: bytes, timeout: float, shown: str | None) -> Reply:
        named = shown or shlex.join(words)
        with step(f"{AGENT} {named}"):
            done = self._endpoint().run(_command(words), stdin, timeout=timeout)
        if done.status != 0:
            name, text = self._refusal(done.status, _text(done.errors) or _text(done.output))
            raise AgentRefused(named, done.status, name, text)
        lines = [line.rstrip("\r") for line in _text(done.output).split("\n")]
        said = [line for line in lines if line and line != "OK" and not line.startswith("+")]
        return Reply(tuple(said), done.output)

    def put(self, name: str, content: bytes) -> None:
        """Write a file by standard input."""
        self._run(["put", name], content, COMMAND_SECONDS, None)

    def get(self, name: str) -> bytes:
        """Read a file from standard output.

        :raises BoardFault: it is larger than a file may be.
        """
        content = self._run(["get", name], b"", COMMAND_SECONDS, None).output
        if len(content) > LARGEST_FILE:
            raise BoardFault(
                f"{self._board}: file {name} has {len(content)} bytes, and at most {LARGEST_FILE}"
            )
        return content

    def begin(self, words: Sequence[str]) -> SshRun:
        """Begin a command that ends later."""
        with step(f"{AGENT} {shlex.join(words)}"):
            return SshRun(self, self._endpoint().execute(_command(words)), shlex.join(words))

    def wait_until_back(self) -> None:
        """Connect anew as soon as the board listens."""
        self._endpoint().wait_until_back()

    def _refusal(self, status: int, said: str) -> tuple[str, str]:
        """Return name and text of a refusal."""
        if status == NOT_FOUND:
            return code_name(status), f"there is no {AGENT} on board {self._board}"
        match = _REFUSED.search(said)
        if match is None:
            return code_name(status), said.strip()[:_SHOWN]
        return match[1], match[2] or ""

    def outcome(self, done: Ended) -> Outcome:
        """Return how provisioning ended; the exit status counts, whatever is said."""
        match = _ENDED.search(_text(done.output))
        if done.status == 0:
            return Outcome(0, code_name(0), "" if match is None else match[2].rstrip("\r"))
        name, text = self._refusal(done.status, _text(done.errors) or _text(done.output))
        return Outcome(done.status, name, text)


class SshRun:
    """Provisioning under way on a board that ends its exec request when it is done."""

    def __init__(self, link: SshLink, execution: Execution, command: str) -> None:
        """Wait for an exec request."""
        self._link = link
        self._execution = execution
        self._command = command
        self._outcome: Outcome | None = None

    def wait(self, timeout: float) -> Outcome:
        """Wait until it ends; the end is told as often as it is asked for.

        :raises ConsoleTimeout: it did not end in time.
        :raises BoardLost: the connection broke.
        """
        if self._outcome is None:
            done = self._execution.wait(time.monotonic() + timeout)
            self._outcome = self._link.outcome(done)
        return self._outcome

    def abandon(self) -> None:
        """Close the channel; the agent may go on."""
        self._execution.close()


def _command(words: Sequence[str]) -> str:
    return shlex.join([AGENT, *words])


def _text(said: bytes) -> str:
    return said.decode("utf-8", "backslashreplace")
