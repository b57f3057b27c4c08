"""``harness profile``: work on board profiles."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotation when it runs
from typing import Annotated

import typer

from harness.errors import UsageError

app = typer.Typer(help="Check board profiles.", rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def profiles() -> None:
    """Check board profiles."""


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Profiles, or directories of them.", metavar="FILE...")],
) -> None:
    """Check that profiles are well formed; the first mistake is shown with what was expected."""
    from harness.inventory.profiles import load_profiles

    profiles = load_profiles(files, complete=False)
    if not profiles:
        raise UsageError("no profile here", file=", ".join(map(str, files)), expected="files named KIND.toml")
    for profile in profiles.values():
        roles = ", ".join(profile.endpoints)
        typer.echo(f"{profile.name}: {profile.title}, driver {profile.driver}, endpoints {roles}")
