"""``harness send``: one line to a board, and its reply."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from harness.by_hand import boards_in_hand, find_board
from harness.cli.console import RoleOption, endpoint_of
from harness.cli.hand import ATTACHED, BenchOption, BoardArgument, RigOption, WaitOption, read_settings
from harness.cli.interrupts import end_on_signals
from harness.config import parse_seconds
from harness.errors import ConsoleTimeout, UsageError

if TYPE_CHECKING:
    from harness.console import Console
    from harness.console.disciplines import Discipline
    from harness.plugins import HarnessPluginManager

_PURPOSE = "harness send"
_REASON = "sent by hand"
_REPLY_SECONDS = 10.0
_LISTEN_SECONDS = 2.0
_NOTHING = re.compile(rb"(?!)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def add_to(app: typer.Typer, plugins: HarnessPluginManager) -> None:
    """Add the command.

    :param app: the application.
    :param plugins: the loaded plugins.
    """

    @app.command("send")
    def send(  # noqa: PLR0913 - one argument an option
        context: typer.Context,
        board: BoardArgument,
        text: Annotated[list[str], typer.Argument(metavar="TEXT...", help="The line, without its end.")],
        *,
        role: RoleOption = "console",
        bench: BenchOption = ATTACHED,
        rig: RigOption = None,
        wait: WaitOption = "0",
        until: Annotated[
            str | None,
            typer.Option(
                metavar="PATTERN", help="Wait for this regular expression instead of a reply's end."
            ),
        ] = None,
        timeout: Annotated[
            str | None,
            typer.Option(
                metavar="SECONDS",
                help="Wait so long for the reply. Default: 10; 2 where nothing tells its end.",
            ),
        ] = None,
    ) -> None:
        """Send one line to a board under its lease and print the reply.

        Ends with 1 when the board refuses or does not answer. Of an AT host and of a Zephyr shell the reply's
        end is known, and a shell is told AT commands through "at"; of others all is printed that comes in
        time. Secrets are printed too.
        """
        from harness.console.disciplines import AT_SHELL, discipline

        line = " ".join(text)
        if "\n" in line or "\r" in line:
            raise UsageError("not one line", key="TEXT", value=line, expected="one line, without its end")
        pattern = _compiled(until)
        settings = read_settings(context, plugins, bench, rig)
        found = find_board(plugins, settings, board)
        named = endpoint_of(found, role).discipline
        spoken = discipline(named)
        ends = pattern is not None or spoken.final is not None
        seconds = (
            parse_seconds("--timeout", timeout)
            if timeout is not None
            else _REPLY_SECONDS
            if ends
            else _LISTEN_SECONDS
        )
        end_on_signals()
        with boards_in_hand(plugins, [found], settings, wait=wait, purpose=_PURPOSE) as (leased,):
            good = _exchange(
                leased.endpoint(role), line, spoken, pattern, seconds, shell_first=named == AT_SHELL
            )
        if not good:
            raise typer.Exit(1)


def _compiled(until: str | None) -> re.Pattern[bytes] | None:
    if until is None:
        return None
    try:
        return re.compile(until.encode())
    except re.error as error:
        raise UsageError(f"no regular expression: {error}", key="--until", value=until) from error


def _ask(console: Console, line: str, spoken: Discipline, seconds: float, *, shell_first: bool) -> bool:
    """Send a line to an AT host or to a shell, whichever is there, and print the reply.

    Either says at once that it can make nothing of the other's lines.
    """
    from harness.console.shell_by_hand import ask_at, ask_line, is_at_command
    from harness.console.zephyr_shell import is_complaint

    if not is_at_command(line):
        said = ask_line(console, line, timeout=seconds, reason=_REASON, shell=shell_first)
        _print(said.text)
        return said.good
    if shell_first:
        said = ask_at(console, line, timeout=seconds, reason=_REASON)
        if said.echoed or said.good:
            _print(said.text)
            return said.good
        console.show_lines(None)  # an AT host echoes nothing
    reply = console.command(line, spoken, timeout=seconds, reason=_REASON)
    if not shell_first and is_complaint(reply.final):
        said = ask_at(console, line, timeout=seconds, reason=_REASON)
        _print(said.text)
        return said.good
    _print("\n".join([*reply.lines, reply.final]))
    return reply.final.strip() == spoken.good


def _exchange(
    console: Console,
    line: str,
    spoken: Discipline,
    pattern: re.Pattern[bytes] | None,
    seconds: float,
    *,
    shell_first: bool,
) -> bool:
    """Send a line and print what comes of it.

    :return: whether the board did as it was told, as far as its reply says that.
    :raises ConsoleTimeout: no end of the reply in time; what came is printed.
    """
    if pattern is None and spoken.final is not None:
        return _ask(console, line, spoken, seconds, shell_first=shell_first)
    start = console.position
    console.write(spoken.encode(line))
    try:
        if pattern is not None:
            console.expect(pattern, timeout=seconds, reason=_REASON)
        else:
            with suppress(ConsoleTimeout):  # all that comes in time is the reply
                console.expect(_NOTHING, timeout=seconds)
    finally:
        _print(console.slice(start).decode("utf-8", "backslashreplace").replace("\r\n", "\n").strip("\n"))
    return True


def _print(text: str) -> None:
    """Print what a board said; nothing of it can control the terminal."""
    typer.echo(_CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text))
