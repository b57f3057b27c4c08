"""``harness console``: talk to a board by hand."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from harness.by_hand import find_board, lease_by_hand, tell
from harness.cli.hand import ATTACHED, BenchOption, BoardArgument, RigOption, WaitOption, read_settings
from harness.cli.interrupts import end_on_signals
from harness.config import parse_seconds
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.inventory.board import Board, Endpoint
    from harness.plugins import HarnessPluginManager

_PURPOSE = "harness console"
RoleOption = Annotated[str, typer.Option(metavar="ROLE", help="Which of the board's endpoints.")]


def add_to(app: typer.Typer, plugins: HarnessPluginManager) -> None:
    """Add the command.

    :param app: the application.
    :param plugins: the loaded plugins.
    """

    @app.command("console")
    def console(  # noqa: PLR0913 - one argument an option
        context: typer.Context,
        board: BoardArgument,
        *,
        role: RoleOption = "console",
        bench: BenchOption = ATTACHED,
        rig: RigOption = None,
        wait: WaitOption = "0",
        timestamps: Annotated[
            bool, typer.Option("--timestamps", help="Begin each line that the board says with the time.")
        ] = False,
        echo: Annotated[
            bool, typer.Option("--echo", help="Show what you type, for boards that do not.")
        ] = False,
        linger: Annotated[
            str,
            typer.Option(metavar="SECONDS", help="After the end of a pipe: end when it is silent so long."),
        ] = "1",
    ) -> None:
        """Talk to a board under its lease; Ctrl-] ends it. Standard input may be a pipe.

        What the board says is shown as it comes, secrets included.
        """
        from harness.cli.terminal import Manners, converse
        from harness.console.disciplines import discipline
        from harness.console.ports import open_port

        settings = read_settings(context, plugins, bench, rig)
        found = find_board(plugins, settings, board)
        endpoint = endpoint_of(found, role)
        manners = Manners(
            terminator=discipline(endpoint.discipline).terminator,
            echo=echo,
            timestamps=timestamps,
            linger=parse_seconds("--linger", linger),
        )
        end_on_signals()
        signal.signal(signal.SIGHUP, signal.default_int_handler)  # the terminal is restored then too
        with lease_by_hand([found], wait=wait, purpose=_PURPOSE):
            port = open_port(endpoint, f"{found.id}-{role}")
            try:
                if sys.stdin.isatty():
                    tell(f"{role} of {found.id} ({found.kind}) at {endpoint.url}; Ctrl-] ends it")
                converse(port, manners)
            finally:
                port.close()
        if sys.stdin.isatty():
            tell(f"board {found.id} is given back")


def endpoint_of(board: Board, role: str) -> Endpoint:
    """Return a serial endpoint of a board.

    :raises UsageError: it has none of that role.
    """
    if role in board.endpoints:
        return board.endpoints[role]
    raise UsageError(
        f"board {board.id} has no serial endpoint of this role",
        key="--role",
        value=role,
        expected=" or ".join(sorted(board.endpoints)) or "a board with serial endpoints",
    )
