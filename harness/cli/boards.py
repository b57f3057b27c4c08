"""``harness boards``: which boards are here."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from harness.config import Settings, parse_bench
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.inventory.board import Board
    from harness.plugins import HarnessPluginManager


def add_to(app: typer.Typer, plugins: HarnessPluginManager) -> None:
    """Add the command.

    :param app: the application.
    :param plugins: the loaded plugins.
    """

    @app.command("boards")
    def show_boards(
        *,
        bench: Annotated[
            str, typer.Option(help="Which bench: 'attached', or 'virtual=SOCKET' of a bench that runs.")
        ] = "attached",
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    ) -> None:
        """List the boards that are here now. Nothing is opened or written to."""
        boards = find_boards(plugins, bench)
        if as_json:
            typer.echo(json.dumps([board.to_json() for board in boards], indent=2))
        elif boards:
            _print_table(boards)
        else:
            typer.echo(_nothing_found(plugins, bench))


def find_boards(plugins: HarnessPluginManager, bench: str) -> list[Board]:
    """Ask every plugin for its boards.

    :param plugins: the loaded plugins.
    :param bench: which bench, as ``--bench`` takes it.
    :raises UsageError: no such bench, or a virtual one without its socket.
    :raises RigFault: the bench does not answer.
    """
    choice = parse_bench(bench)
    if choice is not None and choice.kind == "virtual" and choice.socket is None:
        raise UsageError(
            "which virtual bench?",
            key="--bench",
            value=bench,
            expected="virtual=SOCKET, the socket that 'harness bench up' prints",
        )
    found = plugins.hook.harness_discover_boards(settings=Settings(bench=choice))
    return sorted((board for boards in found for board in boards), key=lambda board: board.id)


def _print_table(boards: Sequence[Board]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("id", "kind", "where", "endpoints", "capabilities", box=None, pad_edge=False)
    for board in boards:
        endpoints = [f"{role} {endpoint.url}" for role, endpoint in sorted(board.endpoints.items())]
        table.add_row(
            board.id,
            board.kind,
            "virtual" if board.virtual else "attached",
            "\n".join(endpoints) or "none",
            ", ".join(sorted(board.capabilities)),
        )
    # A pipe has no width: nothing is wrapped there, so that grep finds whole lines.
    Console(width=None if sys.stdout.isatty() else 300).print(table)


def _nothing_found(plugins: HarnessPluginManager, bench: str) -> str:
    from harness.inventory.builtin import known_profiles
    from harness.inventory.serial_ports import list_serial_ports

    if bench != "attached":
        return f"No board is plugged in on {bench}."
    kinds = [profile.title for profile in known_profiles(plugins).values() if not profile.virtual]
    ports = [port.device for port in list_serial_ports()]
    return (
        f"No board found.\nLooked for: {', '.join(kinds)}.\n"
        f"Serial ports seen: {', '.join(ports) or 'none'}.\n"
        "Plug a board in, or make virtual ones: harness bench up --boards 4"
    )
