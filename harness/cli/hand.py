"""The options of the commands that work on boards by hand (:mod:`harness.by_hand`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.by_hand import settings_by_hand
from harness.config import RIG_NAME, RIG_VARIABLE

if TYPE_CHECKING:
    from harness.config import Settings
    from harness.plugins import HarnessPluginManager

ATTACHED = "attached"
BoardArgument = Annotated[str, typer.Argument(metavar="BOARD", help="Identity of the board.")]
BenchOption = Annotated[
    str, typer.Option(help="Which bench: 'attached', or 'virtual=SOCKET' of a bench that runs.")
]
RigOption = Annotated[
    Path | None,
    typer.Option(
        "--rig", metavar="FILE", help=f"What is attached here. Default: ${RIG_VARIABLE}, else {RIG_NAME}."
    ),
]
WaitOption = Annotated[
    str, typer.Option(metavar="SECONDS", help="Wait so long while somebody else holds the board.")
]


def read_settings(
    context: typer.Context, plugins: HarnessPluginManager, bench: str, rig: Path | None
) -> Settings:
    """Read on what a command is to work; the rig file is in force until the command ends.

    :param context: the command's.
    :param plugins: the loaded plugins, to which those of the rig file are added.
    :param bench: which bench, as ``--bench`` takes it.
    :param rig: the rig file that an option names.
    :raises UsageError: no such bench, a virtual one without its socket, or the rig file does not fit.
    """
    return context.with_resource(settings_by_hand(plugins, bench, rig))
