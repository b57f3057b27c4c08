"""``harness lease``: hold a board by hand, so that no session takes it meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.by_hand import find_board, lease_by_hand
from harness.cli.hand import ATTACHED, BenchOption, BoardArgument, RigOption, WaitOption, read_settings
from harness.cli.interrupts import end_on_signals
from harness.cli.running import run_command

if TYPE_CHECKING:
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
                raise typer.Exit(run_command(command))
            _hold(found)


def _hold(board: Board) -> None:
    try:
        typer.echo(f"Board {board.id} is yours. Ctrl-C gives it back.")
        threading.Event().wait()
    except KeyboardInterrupt:
        typer.echo(f"\nBoard {board.id} is given back.")
