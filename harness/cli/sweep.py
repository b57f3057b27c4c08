"""``harness sweep``: undo what dead sessions left in services and on boards."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import UsageError
from harness.recovery import describe, is_kept, went_with_its_session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.backends.ledger import Entry
    from harness.plugins import HarnessPluginManager

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def add_to(app: typer.Typer, plugins: HarnessPluginManager) -> None:
    """Add the command.

    :param app: the application.
    :param plugins: the loaded plugins.
    """

    @app.command("sweep")
    def sweep(
        *,
        yes: Annotated[bool, typer.Option("--yes", help="Undo without asking.")] = False,
        bench: Annotated[
            str | None,
            typer.Option(help="Only boards of this bench: 'attached' or 'virtual=SOCKET'; no services."),
        ] = None,
        rig: Annotated[
            Path | None, typer.Option(help="What is attached to this host; default: as for a session.")
        ] = None,
    ) -> None:
        """Show what dead sessions left in services and on boards, ask, and undo it."""
        from harness.backends.ledger import Ledger
        from harness.rig import find_rig
        from harness.sweeping import Sweeper, take_inventory

        with Ledger() as ledger:
            inventory = take_inventory(ledger)
            left = [entry for entry in inventory.left if _is_on(entry, bench)]
            _show_in_use(inventory.in_use)
            if not left:
                typer.echo("Nothing to sweep: no dead session left anything.")
                return
            _show(left)
            if not yes and not _agreed(len(left)):
                raise typer.Exit(1)
            attached = find_rig(rig, [Path.cwd()])
            with (
                attached.in_force() if attached else nullcontext(),
                Sweeper(ledger, plugins, rig=attached) as sweeper,
            ):
                failed = 0
                for outcome in sweeper.sweep(left):
                    failed += not outcome.done
                    typer.echo(f"{'done' if outcome.done else 'LEFT'}  {outcome}")
        typer.echo(f"{len(left) - failed} of {len(left)} undone.")
        if failed:
            raise typer.Exit(1)


def _is_on(entry: Entry, bench: str | None) -> bool:
    """Tell whether an entry names something on a bench that was asked for."""
    if bench is None:
        return True
    kind, _, socket = bench.partition("=")
    if kind == "attached" and not socket:
        return not entry.backend and not entry.url
    if kind == "virtual" and socket:
        return not entry.backend and entry.url == socket
    raise UsageError("no such bench", key="--bench", value=bench, expected="attached or virtual=SOCKET")


def _agreed(number: int) -> bool:
    if not sys.stdin.isatty():
        typer.echo("Nothing was undone: nobody is there to be asked. Add --yes.")
        return False
    agreed = typer.confirm(f"Undo {'it' if number == 1 else f'these {number}'}?")
    if not agreed:
        typer.echo("Nothing was undone.")
    return agreed


def _show(entries: Sequence[Entry]) -> None:
    from rich.console import Console
    from rich.table import Table

    from harness.session_lock import who_began

    table = Table("session", "user", "age", "where", "kind", "subject", "why", box=None, pad_edge=False)
    for entry in entries:
        holder = who_began(entry.session)
        table.add_row(
            entry.session,
            holder.user if holder is not None else "unknown",
            age(time.time() - entry.noted),
            f"{entry.backend or 'board'} {entry.url}".strip(),
            entry.kind,
            entry.subject,
            _why(entry),
        )
    # A pipe has no width: nothing is wrapped there, so that grep finds whole lines.
    Console(width=None if sys.stdout.isatty() else 300).print(table)


def _why(entry: Entry) -> str:
    if is_kept(entry):
        return "kept on purpose (--keep)"
    if went_with_its_session(entry):
        return "went with its session"
    if entry.details.get("state") == "intended":
        return "its session ended during the call"
    return "its session ended before undoing it"


def _show_in_use(sessions: Mapping[str, Sequence[Entry]]) -> None:
    from harness.session_lock import who_began

    for session, entries in sessions.items():
        holder = who_began(session)
        typer.echo(f"In use by {holder or f'session {session}'}, not touched:")
        for entry in entries:
            typer.echo(f"  {describe(entry)}")


def age(seconds: float) -> str:
    """Say for a person how long ago something was."""
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return "now"
