"""``harness lease``: hold a board by hand, so that no session takes it meanwhile."""

from __future__ import annotations

import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.by_hand import find_board, lease_by_hand
from harness.cli.hand import ATTACHED, BenchOption, BoardArgument, RigOption, WaitOption, read_settings
from harness.cli.interrupts import end_on_signals
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
        context: typer.Context,
        board: BoardArgument,
        command: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="-- COMMAND",
                help="Hold the board while this runs; not for a command that leases the board itself.",
                show_default=False,
            ),
        ] = None,
        *,
        bench: BenchOption = ATTACHED,
        rig: RigOption = None,
        wait: WaitOption = "0",
    ) -> None:
        """Hold a board until Ctrl-C, or while a command runs; sessions do not take it meanwhile."""
        settings = read_settings(context, plugins, bench, rig)
        found = find_board(plugins, settings, board)
        end_on_signals()
        purpose = f"{_PURPOSE}: {Path(command[0]).name}" if command else _PURPOSE
        with lease_by_hand([found], wait=wait, purpose=purpose):
            if command:
                raise typer.Exit(_run(command))
            _hold(found)


def _hold(board: Board) -> None:
    try:
        typer.echo(f"Board {board.id} is yours. Ctrl-C gives it back.")
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
