"""``harness boards``: which boards are here, who holds them, and which ports are nobody's."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.by_hand import find_boards, survey_of
from harness.cli.hand import ATTACHED, BenchOption, RigOption, read_settings
from harness.errors import RigFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.config import Settings
    from harness.inventory.attached import Survey
    from harness.inventory.board import Board
    from harness.inventory.lease_records import Holder
    from harness.plugins import HarnessPluginManager

_STYLES = {"free": "green", "leased": "yellow", "absent": "dim", "lost": "red", "unknown": "red"}
_PIPE_WIDTH = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardNow:
    """A board and how it is.

    :ivar state: ``free``; ``leased``: somebody holds it; ``absent``: it is known and not there; ``lost``: it
        is not there though somebody holds it; ``unknown``: who holds it cannot be read.
    :ivar remark: why it is absent, or why its holder is unknown.
    """

    board: Board
    holder: Holder | None
    state: str
    remark: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain data for programs."""
        return {
            "board": self.board.id,
            "kind": self.board.kind,
            "ports": {role: endpoint.url for role, endpoint in sorted(self.board.endpoints.items())},
            "holder": None if self.holder is None else asdict(self.holder),
            "state": self.state,
        }


def add_to(app: typer.Typer, plugins: HarnessPluginManager) -> None:
    """Add the command.

    :param app: the application.
    :param plugins: the loaded plugins.
    """

    @app.command("boards")
    def show_boards(
        context: typer.Context,
        *,
        bench: BenchOption = ATTACHED,
        rig: RigOption = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    ) -> None:
        """List the boards and who holds them. No port is opened or written to."""
        settings = read_settings(context, plugins, bench, rig)
        survey = survey_of(plugins, settings)
        boards = sorted(_boards_now(plugins, settings, survey), key=lambda now: now.board.id)
        if as_json:
            typer.echo(json.dumps([now.to_json() for now in boards], indent=2))
            return
        if boards:
            _print_table(boards)
        else:
            typer.echo(_nothing_found(bench, survey))
        if survey is not None and survey.strangers:
            typer.echo("\nSerial ports that belong to no board:")
            for stranger in survey.strangers:
                typer.echo(f"  {stranger}")


def _boards_now(
    plugins: HarnessPluginManager, settings: Settings, survey: Survey | None
) -> Iterator[BoardNow]:
    for board in find_boards(plugins, settings):
        yield _now(board, None)
    if survey is not None:
        for absent in survey.absent:
            yield _now(absent.board, absent.reason)
    else:
        for board in _unplugged_boards(plugins, settings):
            yield _now(board, "it is unplugged")


def _unplugged_boards(plugins: HarnessPluginManager, settings: Settings) -> list[Board]:
    from dataclasses import replace

    from harness.inventory.builtin import known_profiles, virtual_boards
    from harness.virtual.client import BenchClient

    socket = str(settings.bench.socket) if settings.bench is not None else ""
    with BenchClient(socket) as client:
        states = [replace(state, plugged=True, ports={}) for state in client.boards() if not state.plugged]
    return virtual_boards(known_profiles(plugins), states, bench=socket)


def _now(board: Board, absence: str | None) -> BoardNow:
    from harness.inventory.leases import holder

    try:
        held_by = holder(board)
    except RigFault as error:
        return BoardNow(board=board, holder=None, state="unknown", remark=str(error))
    if absence is not None:
        return BoardNow(
            board=board, holder=held_by, state="absent" if held_by is None else "lost", remark=absence
        )
    return BoardNow(board=board, holder=held_by, state="free" if held_by is None else "leased")


def _print_table(boards: Sequence[BoardNow]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for title in ("board", "kind", "ports", "holder", "state"):
        table.add_column(title, overflow="fold")
    for now in boards:
        ports = [f"{role} {endpoint.url}" for role, endpoint in sorted(now.board.endpoints.items())]
        state = Text(now.state, style=_STYLES[now.state])
        table.add_row(
            Text(now.board.id),
            Text(now.board.kind),
            Text("\n".join(ports) or "none"),
            Text(_holder_in_words(now.holder)),
            state if now.remark is None else Text.assemble(state, f": {now.remark}"),
        )
    # A pipe has no width: nothing is wrapped there, so that grep finds whole lines.
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False).print(table)


def _holder_in_words(holder: Holder | None) -> str:
    if holder is None:
        return ""
    since = holder.since
    with suppress(ValueError):  # what another program wrote may be anything
        since = f"{datetime.fromisoformat(since).astimezone():%Y-%m-%d %H:%M:%S}"
    lines = [f"{holder.user}, session {holder.session}", holder.test, f"since {since}"]
    return "\n".join(filter(None, lines))


def _nothing_found(bench: str, survey: Survey | None) -> str:
    if survey is None:
        return f"No board is on {bench}."
    lines = ["No board found. Looked for:", *(f"  {kind}" for kind in survey.looked_for)]
    if not survey.strangers:
        lines.append("Saw no serial port.")
    lines.append(
        "Plug a board in, describe it in rig.toml, or make virtual ones: harness bench up --boards 4"
    )
    return "\n".join(lines)
