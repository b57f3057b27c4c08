"""One line to a Zephyr shell by hand: what is typed for it, and where its reply ends.

An AT command goes through the shell's ``at``; anything else is typed as it is, and its reply ends with the
next prompt.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from harness.console.disciplines import discipline
from harness.console.zephyr_shell import is_refusal, shown_text
from harness.errors import ConsoleTimeout

if TYPE_CHECKING:
    from harness.console.console import Console

_AT_COMMAND = re.compile(r"AT(?:[^A-Z0-9 ].*)?", re.IGNORECASE)
_COLOURS = rb"(?:\x1b\[[0-9;]*m)*"
_RESULT = re.compile(rb"(?:^|[\r\n])(?:OK|ERROR|NO CARRIER|\+CM[ES] ERROR: ?[^\r\n]+)[ \t]*\r?\n")
# The echo's line has ended, and a prompt begins a line.
_NEXT_PROMPT = re.compile(rb"\n" + _COLOURS + rb"[A-Za-z0-9_.-]*:~\$ " + _COLOURS)


class Said(NamedTuple):
    """What came of a line.

    :ivar text: what the board said, as a terminal shows it.
    :ivar good: whether it did as it was told, as far as that can be seen.
    :ivar echoed: whether what was typed was repeated.
    """

    text: str
    good: bool
    echoed: bool


def is_at_command(line: str) -> bool:
    """Tell whether a line is for a modem."""
    return _AT_COMMAND.fullmatch(line) is not None


def ask_at(console: Console, command: str, *, timeout: float, reason: str) -> Said:
    """Have the shell's ``at`` run an AT command, and return what is said to it.

    :raises ConsoleTimeout: the reply did not end in time.
    :raises BoardLost: the port went away.
    """
    console.show_lines(shown_text)
    at_host = discipline("at-host")
    typed = "at '" + command.replace("'", r"\'") + "'"
    reply = console.command(
        typed, replace(at_host, echoes=False), timeout=timeout, reason=reason, shown=command
    )
    said = _told(typed, [*reply.lines, reply.final])
    return said._replace(good=reply.final.strip() == at_host.good)


def ask_line(console: Console, line: str, *, timeout: float, reason: str, shell: bool) -> Said:
    """Send a line that is no AT command once, and return what is said to it.

    :param shell: a shell is at the other end; else it may also be an AT host, whose result ends the reply.
    :raises ConsoleTimeout: the reply did not end in time.
    :raises BoardLost: the port went away.
    """
    at_host = discipline("at-host")
    start = console.position
    console.write(at_host.encode(line))
    try:
        ends = (_NEXT_PROMPT,) if shell else (_NEXT_PROMPT, _RESULT)
        end = console.expect(*ends, timeout=timeout, reason=reason)
    except ConsoleTimeout as error:
        tail = str(error).partition("; the console ends with ")[2]
        raise ConsoleTimeout(
            f"{console.name}: waited {timeout:g} s for the reply to {line!r} ({reason}); the console ends"
            f" with {tail}"
        ) from error
    said = _told(line, [shown_text(each) for each in _lines(console.slice(start))])
    if end.pattern is _RESULT:
        return said._replace(good=said.text.rpartition("\n")[2].strip() == at_host.good)
    return said


def _lines(data: bytes) -> list[str]:
    return [line.strip("\r") for line in data.decode("utf-8", "backslashreplace").split("\n")]


def _told(typed: str, lines: list[str]) -> Said:
    """Take the echo off, which goes over several lines where the terminal is narrow."""
    rest = typed
    while lines and rest and rest.startswith(lines[0]):
        rest = rest[len(lines.pop(0)) :]
    echoed = not rest
    if lines and rest and lines[0].endswith(rest):  # behind what somebody had typed before
        lines = lines[1:]
        echoed = True
    return Said("\n".join(lines).strip("\n"), not any(map(is_refusal, lines)), echoed)
