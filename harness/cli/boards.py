"""``harness boards``: which boards are here, who holds them, and which ports are nobody's."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.hand import ATTACHED, BenchOption, RigOption, read_settings
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.config import Settings
    from harness.plugins import HarnessPluginManager


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
        ask: Annotated[
            bool,
            typer.Option("--ask", help="Lease the boards that are free for a moment, and ask who they are."),
        ] = False,
        write: Annotated[
            Path | None,
            typer.Option(
                metavar="FILE", help="Ask, and write what is known into this rig file; what is there stays."
            ),
        ] = None,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="With --write: show what would change, and change nothing.")
        ] = False,
        watch: Annotated[
            bool, typer.Option("--watch", help="Keep the list up to date until Ctrl-C; a pipe gets changes.")
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    ) -> None:
        """List the boards, who they are and who holds them. No port is opened but with --ask or --write."""
        _refuse_both({"--watch": watch, "--json": as_json, "--ask": ask, "--write": write is not None})
        if dry_run and write is None:
            raise UsageError("says what --write would do", key="--dry-run", expected="--write FILE")
        if write is not None:
            _write(context, plugins, write, bench=bench, rig=rig, dry_run=dry_run)
            return
        settings = read_settings(context, plugins, bench, rig)
        if watch:
            from harness.cli.boards_watch import watch_boards

            watch_boards(plugins, settings)
            return
        _list(plugins, settings, bench, ask=ask, as_json=as_json)


def _list(plugins: HarnessPluginManager, settings: Settings, bench: str, *, ask: bool, as_json: bool) -> None:
    from harness.by_hand import tell
    from harness.cli.boards_now import take_stock

    stock = take_stock(plugins, settings, ask=ask)
    if as_json:
        typer.echo(json.dumps([now.to_json() for now in stock.boards], indent=2))
    else:
        from harness.cli.boards_table import print_stock

        print_stock(stock, bench)
    for note in stock.notes:
        tell(note)


def _refuse_both(options: dict[str, bool]) -> None:
    """Refuse options that do not go together; --ask and --json do."""
    given = [name for name, is_given in options.items() if is_given]
    if len(given) > 1 and given != ["--json", "--ask"]:
        raise UsageError(
            f"does not go together with {given[1]}", key=given[0], expected=" or ".join(given) + " alone"
        )


def _write(
    context: typer.Context,
    plugins: HarnessPluginManager,
    file: Path,
    *,
    bench: str,
    rig: Path | None,
    dry_run: bool,
) -> None:
    from harness.cli.boards_write import write
    from harness.config import parse_bench

    choice = parse_bench(bench)
    if choice is None or choice.kind != "attached":
        raise UsageError(
            "a rig file describes hardware", key="--bench", value=bench, expected="--bench attached"
        )
    if rig is not None and rig.absolute() != file.absolute():
        raise UsageError(
            "the file that is written is the rig file that counts",
            key="--rig",
            value=str(rig),
            expected=f"{file}, or --write alone",
        )
    settings = read_settings(context, plugins, bench, file) if file.exists() else None
    write(plugins, settings.rig if settings is not None else None, file, dry_run=dry_run)
