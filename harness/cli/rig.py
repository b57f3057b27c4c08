"""``harness rig``: work on ``rig.toml``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import TYPE_CHECKING, Annotated

import typer

from harness.by_hand import load_rig_and_plugins
from harness.config import RIG_NAME
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.plugins import HarnessPluginManager


def make_app(plugins: HarnessPluginManager) -> typer.Typer:
    """Make the commands.

    :param plugins: the loaded plugins.
    """
    app = typer.Typer(help="Check a rig file.", rich_markup_mode=None, no_args_is_help=True)

    @app.command()
    def check(
        file: Annotated[
            Path | None, typer.Argument(help="The file; without it the one that counts here.", metavar="FILE")
        ] = None,
    ) -> None:
        """Check a rig file and say which of its boards are here; the first mistake is shown."""
        from harness.inventory.builtin import survey

        rig = load_rig_and_plugins(plugins, file)
        if rig is None:
            raise UsageError("there is no such file here", file=RIG_NAME, expected="a FILE")
        found = survey(plugins, rig)
        named = {board.name for board in rig.boards}
        typer.echo(f"{rig.file}: rig {rig.name}, boards: {len(rig.boards)}")
        for board in found.boards:
            if board.id in named:
                typer.echo(f"{board.id}: {board.kind}, {', '.join(board.ways)}")
        for absent in found.absent:
            typer.echo(f"{absent.board.id}: absent, {absent.reason}")

    @app.command()
    def schema() -> None:
        """Print the file's JSON Schema, for editors that check while you write."""
        from harness.rig_schema import rig_schema

        typer.echo(rig_schema(), nl=False)

    return app
