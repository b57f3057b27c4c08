"""AT over a console whose discipline nobody told: found out, remembered, and found out again."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.console import Console
from harness.errors import CommandRefused, ConsoleTimeout
from harness.inventory.board import Endpoint
from harness_nordic import driver_line
from harness_nordic.driver_line import AtLine, LineDiscipline, ShellComplained
from tests.console.conftest import PtyBoard
from tests.nordic.paper_shell import PROMPT, PaperShell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.console import Reply

IMEI = "359404230261381"  # the fact sheet's own example
MODEM = {"AT": "OK\r\n", "AT+CGSN": f"{IMEI}\r\nOK\r\n", "AT%CMNG=3,123,0": "+CME ERROR: 513\r\n"}
SHELL, HOST = LineDiscipline.AT_SHELL, LineDiscipline.AT_HOST


@pytest.fixture
def board() -> Iterator[PtyBoard]:
    """The far end of a line."""
    board = PtyBoard()
    yield board
    board.close()


@pytest.fixture
def console(board: PtyBoard) -> Iterator[Console]:
    """A console of the line."""
    with Console.open(Endpoint(role="console", url=board.path), name="b1", directory=None) as console:
        yield console


@pytest.fixture
def shell(board: PtyBoard) -> PaperShell:
    """A shell with a modem at the far end."""
    shell = PaperShell(dict(MODEM))
    board.answer(shell)
    return shell


def ask(line: AtLine, console: Console, command: str = "AT+CGSN", timeout: float = 5.0) -> Reply:
    """Have a command executed."""
    return line.exchange(console, command, timeout=timeout, reason="a test", shown=command)


def test_shell_is_found_by_the_first_command(shell: PaperShell, console: Console) -> None:
    """What an AT host is told first, a shell complains of; it is told in its own way and from then on so."""
    line = AtLine("at-host")

    replies = [ask(line, console), ask(line, console, "AT%CMNG=3,123,0"), ask(line, console)]

    assert [(reply.lines, reply.final) for reply in replies] == [
        ((IMEI,), "OK"),
        ((), "+CME ERROR: 513"),
        ((IMEI,), "OK"),
    ]
    assert line.discipline is SHELL
    assert shell.typed == ["AT+CGSN", "at 'AT+CGSN'", "at 'AT%CMNG=3,123,0'", "at 'AT+CGSN'"]


def test_at_host_is_asked_nothing_more(shell: PaperShell, console: Console) -> None:
    """An AT host gets its commands, and no question."""
    shell.speaks = False
    line = AtLine("auto")

    assert [ask(line, console).lines, ask(line, console, "AT%X").final] == [(IMEI,), "ERROR"]
    assert (line.discipline, shell.typed) == (HOST, ["AT+CGSN", "AT%X"])


def test_guess_that_is_wrong(shell: PaperShell, console: Console) -> None:
    """Where the profile says shell and the firmware is an AT host, its quick error tells."""
    shell.speaks = False
    line = AtLine("at-shell")

    assert ask(line, console).lines == (IMEI,)
    assert (line.discipline, shell.typed) == (HOST, ["at 'AT+CGSN'", "AT", "AT+CGSN"])


def test_new_firmware_is_found_out(shell: PaperShell, console: Console) -> None:
    """A board that changes its discipline is understood with the next command, both ways."""
    line = AtLine("at-host")
    found = []
    for speaks in (False, True, False, True):
        shell.speaks = speaks
        found.append((ask(line, console).lines, line.discipline))

    assert found == [((IMEI,), HOST), ((IMEI,), SHELL)] * 2


def test_errors_of_a_modem_behind_a_shell(shell: PaperShell, console: Console) -> None:
    """A plain error is the modem's where the shell has echoed what it was told; nobody is asked."""
    line = AtLine("at-shell")

    assert ask(line, console, "AT%X").final == "ERROR"
    assert (line.discipline, shell.typed) == (SHELL, ["at 'AT%X'"])


def test_shell_that_echoes_nothing(shell: PaperShell, console: Console) -> None:
    """There a plain error might be an AT host's: one harmless question tells, and nothing is told twice."""
    shell.echo = False
    line = AtLine("at-shell")

    assert ask(line, console, "AT%X").final == "ERROR"
    assert ask(line, console).lines == (IMEI,)
    assert (line.discipline, shell.typed) == (SHELL, ["at 'AT%X'", "AT", "at 'AT+CGSN'"])


@pytest.mark.parametrize("width", [10, 11, 80])
def test_echo_on_several_lines(shell: PaperShell, console: Console, width: int) -> None:
    """Where the terminal ends the echo goes on on the next line; none of it is taken for the reply."""
    command = 'AT%CMNG=0,1,0,"' + "x" * 900 + '"'
    assert shell.modem is not None
    shell.modem = {**shell.modem, command: "OK\r\n"}
    shell.width = width

    reply = ask(AtLine("at-shell"), console, command)

    assert (reply.lines, reply.final) == ((), "OK")
    assert shell.typed == [f"at '{command}'"]


def test_log_and_notifications_in_between(shell: PaperShell, console: Console) -> None:
    """What the firmware logs while a line is typed erases and repaints it; all that is no reply."""
    line = AtLine("at-shell")
    ask(line, console)
    shell.before = (
        b"at 'AT\x1b[14D\x1b[J\x1b[0m[00:00:07.001,953] <inf> app: attached\x1b[0m\r\n"
        + PROMPT
        + b"\r\n+CEREG: 5\r\n"
        + PROMPT
    )

    assert ask(line, console).lines == (IMEI,)
    assert console.wait_unsolicited("+CEREG", timeout=5) == "+CEREG: 5"
    assert console.wait_unsolicited(re.compile("attached$"), timeout=5).startswith("[00:00:07.001,953] <inf>")


def test_shell_with_a_short_line(shell: PaperShell, console: Console) -> None:
    """A shell that cuts a line off says that a quotation mark is missing; the message gives the length."""
    command = 'AT%CMNG=0,1,0,"' + "x" * 300 + '"'
    shell.commands[f"at '{command}'"] = b"\x1b[1;31mnot terminated: '\r\n\x1b[m"

    with pytest.raises(ShellComplained, match=r"b1: its shell does not take '.*', 321 characters typed: it"):
        ask(AtLine("at-shell"), console, command)


def test_silence_shows_no_credential(
    shell: PaperShell, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shell repeats what is written; a message about its silence does not."""
    monkeypatch.setattr("harness.console.console.LATE_REPLY_SECONDS", 0.05)
    shell.modem = dict.fromkeys(('AT%CMNG=0,1,0,"certificate"', "AT+CGSN"), "")
    line = AtLine("at-shell")

    with pytest.raises(ConsoleTimeout, match=r"the reply to 'AT%CMNG=0,1,0,\.\.\.' \(a test\)") as silence:
        line.exchange(
            console, 'AT%CMNG=0,1,0,"certificate"', timeout=0.1, reason="a test", shown="AT%CMNG=0,1,0,..."
        )
    assert "certificate" not in str(silence.value)
    assert b"certificate" in console.tail(400)
    with pytest.raises(ConsoleTimeout, match="the console ends with"):
        ask(line, console, timeout=0.1)


def test_shell_without_a_modem(board: PtyBoard, console: Console) -> None:
    """Firmware that has a shell but no ``at`` says so, at once."""
    board.answer(PaperShell(None))

    with pytest.raises(ShellComplained, match="at: command not found"):
        ask(AtLine("at-host"), console)


def test_prompt_tells_of_a_shell(board: PtyBoard, console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was half typed before may be a command that explains itself; the prompt behind it is enough."""
    monkeypatch.setattr("harness.console.console.LATE_REPLY_SECONDS", 0.05)
    shell = PaperShell(dict(MODEM), left="kernel ")
    shell.commands["kernel AT+CGSN"] = b"kernel - Kernel commands\r\nSubcommands:\r\n  reboot :\r\n"
    board.answer(shell)
    line = AtLine("at-host")

    assert ask(line, console, timeout=2.0).lines == (IMEI,)
    assert line.discipline is SHELL


def test_silence_is_nobodys(board: PtyBoard, console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers in no way is neither; both the command and the question say so."""
    monkeypatch.setattr(driver_line, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr("harness.console.console.LATE_REPLY_SECONDS", 0.05)
    board.answer(lambda _line: b"...\r\n")
    line = AtLine("at-host")

    with pytest.raises(ConsoleTimeout, match="the reply to 'AT\\+CGSN'"):
        ask(line, console, timeout=0.05)
    with pytest.raises(ConsoleTimeout, match=r"AT host or shell\?"):
        line.find(console)


def test_question_finds_a_shell_by_its_prompt(
    board: PtyBoard, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell that explains instead of complaining has a prompt all the same."""
    monkeypatch.setattr(driver_line, "PROBE_SECONDS", 1.0)
    shell = PaperShell(None, left="kernel ")
    shell.commands["kernel AT"] = b"Subcommands:\r\n"
    board.answer(shell)

    assert AtLine("").find(console) is SHELL


def test_commands_of_the_shell_itself(shell: PaperShell, console: Console) -> None:
    """What they say comes back; one that is not there, or has no such part, is refused."""
    shell.commands["kernel uptime"] = b"Uptime: 4711 ms\r\n"
    shell.commands["kernel boot"] = b"kernel - Kernel commands\r\nSubcommands:\r\n"
    line = AtLine("at-shell")
    ask(line, console)

    assert line.run(console, "kernel uptime", timeout=5, reason="a test") == ["Uptime: 4711 ms"]
    for missing, words in {"nope now": "nope: command not found", "kernel boot": "Subcommands:"}.items():
        with pytest.raises(CommandRefused, match=f"{missing} was refused: {words}"):
            line.run(console, missing, timeout=5, reason="a test")
    assert ask(line, console).lines == (IMEI,)


@settings(max_examples=40, deadline=None)
@given(cuts=st.sets(st.integers(1, 150), max_size=12))
def test_pieces_of_any_size(cuts: set[int]) -> None:
    """A reply is the same however it was cut on its way, also within colours and line ends."""
    said = (
        b"at 'AT+CG\x1b[17D\x1b[J\x1b[0m[00:00:07.001,953] <inf> app: x\x1b[0m\r\n"
        + PROMPT
        + b"at 'AT+CGSN'\r\n"
        + IMEI.encode()
        + b"\r\n+CSCON: 1\r\nOK\r\n\r\n"
        + PROMPT
    )
    edges = [0, *sorted(cut for cut in cuts if cut < len(said)), len(said)]
    board = PtyBoard()

    def in_pieces(_line: bytes) -> bytes:
        for begin, end in itertools.pairwise(edges):
            board.say(said[begin:end])
        return b""

    try:
        endpoint = Endpoint(role="console", url=board.path)
        with Console.open(endpoint, name="b1", directory=None) as console:
            board.answer(in_pieces)
            reply = ask(AtLine("at-shell"), console)
            heard = [text for _when, text in console.unsolicited]
    finally:
        board.close()
    assert (reply.lines, reply.final) == ((IMEI,), "OK")
    assert heard == ["[00:00:07.001,953] <inf> app: x", "+CSCON: 1"]
