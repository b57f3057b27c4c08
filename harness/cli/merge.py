"""``harness merge``: results of several runners, or of the shards of one run, made one."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.merging.merge import Merged

_TITLES = ("run", "collected", "passed", "failed", "skipped", "not run", "again")


def add_to(app: typer.Typer) -> None:
    """Add the command.

    :param app: the application.
    """
    app.command("merge")(merge)


def merge(
    directories: Annotated[
        list[str],
        typer.Argument(
            metavar="[RUNNER=]DIR...",
            help="Directories of results: junit.xml, allure-results, history.sqlite3. Those of one RUNNER are"
            " shards of its tests, or repetitions.",
        ),
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The directory to make.")],
) -> None:
    """Merge results of several runners, and see that nothing is missing.

    The exit code is that of one session that had all these tests: 1 when a test failed, did not run, or is
    missing because a shard is.
    """
    from harness.merging import merge as merging
    from harness.merging.runs import ALLURE, HISTORY, JUNIT, parse_source

    merged = merging.merge([parse_source(text) for text in directories], output)
    for line in _table(merged):
        typer.echo(line)
    typer.echo(str(merged.accounts))
    for line in merged.again:
        typer.echo(f"ran again: {_plain(line)}")
    if merged.allure_results is not None:
        typer.echo(f"Allure results: {output / ALLURE} ({merged.allure_results})")
    typer.echo(f"JUnit: {output / JUNIT}")
    if merged.attempts is not None:
        typer.echo(f"History: {output / HISTORY} ({merged.attempts} attempts)")
    for line in merged.complaints:
        typer.echo(f"WRONG: {_plain(line)}")
    if not merged.is_good:
        raise typer.Exit(1)


def _plain(text: str) -> str:
    """Return a text that may be of anybody without what makes a terminal do something."""
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in text)


def _table(merged: Merged) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [_TITLES]
    for line in merged.lines:
        each = line.accounts
        numbers = (each.collected, each.passed, each.failed, each.skipped, each.not_run, line.again)
        rows.append((line.name, *map(str, numbers)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    for row in rows:
        cells = [
            row[0].ljust(widths[0]),
            *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)),
        ]
        yield "  ".join(cells)
