"""``harness lease``: hold a board by hand, so that no session takes it meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.boards import find_boards
from harness.cli.interrupts import end_on_signals
from harness.config import parse_seconds
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.inventory.board import Board
    from harness.plugins import HarnessPluginManager

# What others read in the place of a test.
_PURPOSE = "harness lease"


def add_to(app: typer.Typer, plugins: HarnessPluginManager) -> None:
    """Add the command.

    :param app: the application.
    :param plugins: the loaded plugins.
    """

    @app.command("lease")
    def lease(
        board: Annotated[str, typer.Argument(metavar="BOARD", help="Identity of the board.")],
        command: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="-- COMMAND",
                help="Hold the board while this runs; not for a command that leases the board itself.",
                show_default=False,
            ),
        ] = None,
        *,
        bench: Annotated[
            str, typer.Option(help="Which bench: 'attached', or 'virtual=SOCKET' of a bench that runs.")
        ] = "attached",
        wait: Annotated[
            str, typer.Option(metavar="SECONDS", help="Wait so long while somebody else holds the board.")
        ] = "0",
    ) -> None:
        """Hold a board until Ctrl-C, or while a command runs; sessions do not take it meanwhile."""
        from harness.inventory.leases import Leases
        from harness.session_directory import new_run_id

        deadline = parse_seconds("--wait", wait)
        found = _choose(find_boards(plugins, bench), board, bench)
        end_on_signals()
        with Leases(new_run_id(), tell=_tell) as leases:
            leases.take([found], deadline=deadline)
            for warning in leases.warnings:
                _tell(f"WARNING: {warning}")
            purpose = f"{_PURPOSE}: {Path(command[0]).name}" if command else _PURPOSE
            leases.note_test(found.id, purpose)
            if command:
                raise typer.Exit(_run(command))
            _hold(found)


def _tell(line: str) -> None:
    sys.stderr.write(f"harness: {line}\n")
    sys.stderr.flush()


def _choose(boards: Sequence[Board], board_id: str, bench: str) -> Board:
    for board in boards:
        if board.id == board_id:
            return board
    from harness.toml_files import nearest

    raise UsageError(
        f"no such board on bench {bench}",
        key="BOARD",
        value=board_id,
        expected=nearest(board_id, [board.id for board in boards]) or "a board that 'harness boards' lists",
    )


def _hold(board: Board) -> None:
    typer.echo(f"Board {board.id} is yours. Ctrl-C gives it back.")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        typer.echo(f"\nBoard {board.id} is given back.")


def _run(command: Sequence[str]) -> int:
    """Run a command to its end; Ctrl-C at a terminal reaches it without us, and so it decides what follows.

    :return: 0 if it succeeded, 1 otherwise.
    """
    signal.signal(signal.SIGINT, lambda *_: None)  # not ignored: that, the command would inherit
    try:
        process = subprocess.Popen(command)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot be started: {reason}", key="COMMAND", value=command[0]) from error
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: process.send_signal(number))
    return 0 if process.wait() == 0 else 1
