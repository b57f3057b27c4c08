"""The agent over SSH: what is asked of a shell, and what is made of exit statuses and outputs."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BoardFault, BoardLost, ConsoleTimeout
from harness.ssh import SshConnection
from harness_guardian.driver_models import AgentRefused, Outcome
from harness_guardian.driver_ssh import SshLink
from tests.ssh.conftest import DEADLINE, SshHost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ssh.conftest import Answer


@pytest.fixture(scope="module")
def gate() -> Iterator[SshHost]:
    """A host, for all tests of this file."""
    host = SshHost()
    yield host
    host.close()


@pytest.fixture
def host(gate: SshHost) -> SshHost:
    """The host, which answers nothing of another test."""
    gate.commands.clear()
    gate.answer = None
    return gate


@pytest.fixture
def link(host: SshHost) -> Iterator[SshLink]:
    """A link to the agent on it."""
    connection = SshConnection(host.address(), "gate")
    yield SshLink(lambda: connection, "gate")
    connection.close()


def say(host: SshHost, status: int, output: bytes = b"", errors: bytes = b"") -> None:
    """Let every command end so."""
    host.answer = lambda _command, _content: (status, output, errors)


def test_words_and_lines(host: SshHost, link: SshLink) -> None:
    """The words are an exec request of the agent; what it says are lines, but not what comes unasked."""
    say(host, 0, b"state: ready\r\nhw_id: P 7\n\n+BOOT: guardian-agent 2\nOK\n")

    reply = link.run(["init", "Infusion pump", "P 7"])

    assert host.commands == ["guardian-agent init 'Infusion pump' 'P 7'"]
    assert reply.lines == ("state: ready", "hw_id: P 7")
    assert reply.fields() == {"state": "ready", "hw_id": "P 7"}


def test_files_are_whole(host: SshHost, link: SshLink) -> None:
    """A file goes by standard input and comes by standard output, byte for byte."""
    kept: list[bytes] = []

    def agent(command: str, content: bytes) -> Answer:
        if command.startswith("guardian-agent put"):
            kept.append(content)
            return 0, b"", b""
        return 0, kept[-1], b""

    host.answer = agent
    content = bytes(range(256)) * 256

    link.put("profile", content)
    assert link.get("profile") == content
    assert host.commands == ["guardian-agent put profile", "guardian-agent get profile"]


def test_file_that_is_too_large(host: SshHost, link: SshLink) -> None:
    """No file of an agent has more than 64 KiB."""
    say(host, 0, b"x" * 65_537)

    with pytest.raises(BoardFault, match="gate: file request has 65537 bytes, and at most 65536"):
        link.get("request")


@pytest.mark.parametrize(
    ("status", "errors", "parts"),
    [
        (
            1,
            b"ERROR 1 FAIL: nobody said where the service is\n",
            ("FAIL", "nobody said where the service is"),
        ),
        (3, b"ERROR 3 FILENOTFOUND\n", ("FILENOTFOUND", "")),
        (2, b"no such word\n", ("BADPARAM", "no such word")),
        (4, b"", ("OUTOFMEMORY", "")),
        (77, b"\xffwhat?", ("77", "\\xffwhat?")),
        (127, b"sh: 1: guardian-agent: not found\n", ("127", "there is no guardian-agent on board gate")),
    ],
)
def test_refusal_has_number_name_and_text(
    host: SshHost, link: SshLink, status: int, errors: bytes, parts: tuple[str, str]
) -> None:
    """The exit status is the number; the rest is what is said, in whatever way."""
    say(host, status, b"", errors)

    with pytest.raises(AgentRefused) as refusal:
        link.run(["submit"])

    assert (refusal.value.code, refusal.value.name, refusal.value.text) == (status, *parts)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ((0, b"+PROVISION: 0 OK provisioned\n", b""), Outcome(0, "OK", "provisioned")),
        ((0, b"", b""), Outcome(0, "OK", "")),
        (
            (1, b"+PROVISION: 1 FAIL Duplicate HW ID\n", b"ERROR 1 FAIL: Duplicate HW ID\n"),
            Outcome(1, "FAIL", "Duplicate HW ID"),
        ),
        ((1, b"", b"lost"), Outcome(1, "FAIL", "lost")),
        ((1, b"+PROVISION: 0 OK provisioned\n", b""), Outcome(1, "FAIL", "+PROVISION: 0 OK provisioned")),
    ],
)
def test_end_of_provisioning(host: SshHost, link: SshLink, said: Answer, outcome: Outcome) -> None:
    """The exit status says how it ended, whatever else is said; the end is told again."""
    say(host, *said)
    running = link.begin(["provision", "source=Cloud"])

    assert running.wait(DEADLINE) == outcome
    assert running.wait(0) == outcome
    assert host.commands == ["guardian-agent provision source=Cloud"]


def test_provisioning_that_does_not_end(host: SshHost, link: SshLink, monkeypatch: Any) -> None:
    """The wait has a deadline; who gives up closes the channel and can go on with other commands."""
    monkeypatch.setattr("harness_guardian.driver_ssh.AGENT", "hang")
    running = link.begin(["provision"])
    with pytest.raises(ConsoleTimeout, match="'hang provision' did not end in time"):
        running.wait(0.2)
    running.abandon()
    monkeypatch.undo()

    say(host, 0, b"state: blank\n")
    assert link.run(["status"]).lines == ("state: blank",)


def test_board_that_goes_away(link: SshLink, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that breaks in the middle is a lost board and no end of provisioning."""
    monkeypatch.setattr("harness_guardian.driver_ssh.AGENT", "cut")

    with pytest.raises(BoardLost, match="gate"):
        link.begin(["provision"]).wait(DEADLINE)


@pytest.mark.parametrize(
    "word", ["$HOME", "`id`", "a\\b", 'a"b', "", "a'b", "two words", "*", "~", "a;b", "ü"]
)
def test_nothing_is_left_to_a_shell(host: SshHost, link: SshLink, word: str) -> None:
    """Whatever a word is, a real shell hands it to the agent as it is."""
    say(host, 0)
    link.run(["init", word, "P-1"])

    (command,) = host.commands
    shell = (
        f"guardian_agent() {{ printf '%s|' \"$@\"; }}; {command.replace('guardian-agent', 'guardian_agent')}"
    )
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == f"init|{word}|P-1|"
