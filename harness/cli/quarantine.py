"""``harness quarantine``: boards that sessions leave alone for a while: listed, added and lifted by hand."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from harness.by_hand import find_board, tell
from harness.cli.hand import ATTACHED, BenchOption, BoardArgument, RigOption, read_settings
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.config import Settings
    from harness.health.quarantine import Quarantines
    from harness.health.quarantine_records import Quarantine
    from harness.inventory.board import Board
    from harness.plugins import HarnessPluginManager

FOREVER = "forever"
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def make_app(plugins: HarnessPluginManager) -> typer.Typer:
    """Make the commands.

    :param plugins: the loaded plugins.
    """
    app = typer.Typer(
        help="Boards that sessions leave alone for a while; without a command: list them.",
        rich_markup_mode=None,
        invoke_without_command=True,
    )

    @app.callback()
    def quarantine(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            _show(_quarantines(read_settings(context, plugins, ATTACHED, None)), as_json=False)

    @app.command("list")
    def list_all(
        context: typer.Context,
        *,
        bench: BenchOption = ATTACHED,
        rig: RigOption = None,
        as_json: _JsonOption = False,
    ) -> None:
        """List the boards that are quarantined, why and how long."""
        _show(_quarantines(read_settings(context, plugins, bench, rig)), as_json=as_json)

    @app.command()
    def add(
        context: typer.Context,
        board: BoardArgument,
        *,
        reason: Annotated[str, typer.Option(help="Why; everybody reads it who wants to use the board.")],
        lasts: Annotated[
            str,
            typer.Option(
                "--for",
                metavar="TIME",
                help=f"How long: 90min, 24h, 7d, 2w, or '{FOREVER}' until it is lifted.",
            ),
        ] = "24h",
        bench: BenchOption = ATTACHED,
        rig: RigOption = None,
    ) -> None:
        """Keep a board from sessions; one that runs now keeps it until its end."""
        duration = parse_duration("--for", lasts)
        if not reason.split():
            raise UsageError(
                "says nothing", key="--reason", value=reason, expected="why it is to be left alone"
            )
        settings = read_settings(context, plugins, bench, rig)
        found = find_board(plugins, settings, board)
        now = datetime.now(UTC)
        kept = _quarantines(settings).put(found, reason, now=now, lasts=duration, by=_who_we_are())
        typer.echo(f"Board {kept.board} is quarantined {kept.end}: {kept.reason}")
        _tell_who_uses(found)

    @app.command()
    def lift(
        context: typer.Context,
        board: Annotated[str, typer.Argument(metavar="BOARD", help="The board, as the list names it.")],
        *,
        bench: BenchOption = ATTACHED,
        rig: RigOption = None,
    ) -> None:
        """Let sessions use a board again."""
        quarantines = _quarantines(read_settings(context, plugins, bench, rig))
        now = datetime.now(UTC)
        for lifted in quarantines.lift(board, now):
            typer.echo(
                f"Board {lifted.board} is free for sessions again. It was quarantined: {lifted.reason}"
            )
            return
        names = ", ".join(one.board for one in quarantines.all(now))
        raise UsageError(
            "this board is not quarantined", key="BOARD", value=board, expected=names or "none: no board is"
        )

    return app


def _quarantines(settings: Settings) -> Quarantines:
    from harness.health.quarantine import Quarantines

    bench = settings.bench.socket if settings.bench is not None else None
    return Quarantines.of_bench(None if bench is None else str(bench))


def _who_we_are() -> str:
    from harness.inventory.lease_records import describe_ourselves

    return f"{describe_ourselves('').user}, by hand"


def _tell_who_uses(board: Board) -> None:
    from harness.inventory.leases import holder

    held_by = holder(board)
    if held_by is not None:
        tell(f"it is in use until its session ends: {held_by}")


def _show(quarantines: Quarantines, *, as_json: bool) -> None:
    found = quarantines.all(datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps([one.to_json() for one in found], indent=2))
    elif found:
        _print_table(found)
    else:
        typer.echo("No board is quarantined.")
    for text in quarantines.unreadable:
        tell(f"WARNING: a quarantine cannot be read, and keeps nobody from a board: {text}")


def _print_table(found: Sequence[Quarantine]) -> None:
    from rich.table import Table
    from rich.text import Text

    from harness.cli.boards_table import console_of_output

    table = Table("board", "kind", "until", "since", "by", "reason", box=None, pad_edge=False)
    for one in found:
        until = "lifted" if one.until is None else f"{one.until.astimezone():%Y-%m-%d %H:%M}"
        since = f"{one.since.astimezone():%Y-%m-%d %H:%M}"
        table.add_row(*map(Text, (one.board, one.kind, until, since, one.by, one.reason)))
    console = console_of_output()
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        console.print(Text(line.rstrip()))


def parse_duration(option: str, text: str) -> timedelta | None:
    """Read how long something is to last.

    :param option: the option that said it, for the message.
    :param text: a number and a unit, or ``forever``.
    :return: ``None`` for ever.
    :raises UsageError: it is neither.
    """
    if text == FOREVER:
        return None
    found = re.fullmatch(r"([0-9]{1,6})(s|min|h|d|w)", text)
    if found is None or int(found[1]) == 0:
        raise UsageError(
            "not a time", key=option, value=text, expected=f"a number and s, min, h, d or w, or {FOREVER}"
        )
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])
