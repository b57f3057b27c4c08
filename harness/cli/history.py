"""``harness history``: which tests and boards are flaky, and which are broken, by what sessions came to."""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.boards_table import console_of_output
from harness.cli.sweep import age
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

    from harness.history.attempts import Attempt
    from harness.history.flakiness import Findings, Judged

_UNITS = {"s": 1.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_STYLES = {
    "broken": "bold red",
    "flaky": "red",
    "fails as a pair": "yellow",
    "not enough runs": "dim",
    "fine": "green",
}


def add_to(app: typer.Typer) -> None:
    """Add the command.

    :param app: the application.
    """

    @app.command("history")
    def history(
        *,
        test: Annotated[
            str | None,
            typer.Option(metavar="PATTERN", help="Only tests whose id has this, or fits it with *."),
        ] = None,
        board: Annotated[str | None, typer.Option(metavar="ID", help="Only this board.")] = None,
        project: Annotated[
            str | None, typer.Option(metavar="NAME", help="Only tests of this project. Default: of all.")
        ] = None,
        since: Annotated[
            str | None,
            typer.Option(metavar="TIME", help="Only what began so long ago or later: 90d, 12h, 30min."),
        ] = None,
        file: Annotated[
            Path | None,
            typer.Option(
                "--history", metavar="FILE", help="The history. Default: that of your state directory."
            ),
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    ) -> None:
        """Tell flaky tests from flaky boards, by what they came to in all sessions that were recorded."""
        from harness.history.files import default_file
        from harness.history.flakiness import judge_history
        from harness.history.store import History

        began = 0.0 if since is None else time.time() - _seconds(since)
        where = file or default_file()
        attempts: list[Attempt] = []
        if file is not None or where.exists():
            with History(where, read_only=True) as opened:
                if project is not None and project not in opened.projects:
                    raise UsageError(
                        "nothing is known of it",
                        key="--project",
                        value=project,
                        expected=" or ".join(opened.projects) or "a project of which a session was recorded",
                    )
                attempts = opened.attempts(project=project, since=began)
        # Whom a failure is blamed on follows from all of them; what was asked for is chosen afterwards.
        findings = judge_history(attempts)
        tests = [one for one in findings.tests if _fits(one.name, test or "")]
        boards = [one for one in findings.boards if board in {None, one.name}]
        _refuse_unknown(findings, test=test if not tests else None, board=board if not boards else None)
        if test is None and board is not None:
            tests = []
        if board is None and test is not None:
            boards = []
        if as_json:
            typer.echo(json.dumps(_data(findings, tests, boards), indent=2))
            return
        _show(
            findings,
            tests=tests,
            boards=boards,
            several_projects=len({one.project for one in findings.tests}) > 1,
        )


def _seconds(text: str) -> float:
    """Read a time that is over.

    :raises UsageError: it is none.
    """
    found = re.fullmatch(r"([0-9]{1,6})(s|min|h|d|w)", text)
    if found is None:
        raise UsageError(
            "no such time",
            key="--since",
            value=text,
            expected="a number and s, min, h, d or w, for example 90d",
        )
    return float(found[1]) * _UNITS[found[2]]


def _fits(test: str, pattern: str) -> bool:
    """Tell whether a test's id fits; brackets of parametrized tests mean themselves."""
    return pattern in test or fnmatchcase(test, pattern.replace("[", "[[]"))


def _refuse_unknown(findings: Findings, *, test: str | None, board: str | None) -> None:
    """Say that what was asked for was not found, unless there is nothing at all.

    :raises UsageError: no test, or no board, is such.
    """
    if test is not None and findings.tests:
        raise UsageError("no test of the history fits", key="--test", value=test, expected="a part of an id")
    if board is not None and findings.tests:
        known = ", ".join(sorted(one.name for one in findings.boards))
        raise UsageError(
            "no test of the history ran on it",
            key="--board",
            value=board,
            expected=known or "no board at all",
        )


def _data(findings: Findings, tests: Iterable[Judged], boards: Iterable[Judged]) -> dict[str, Any]:
    return {
        "sessions": findings.sessions,
        "tests": [asdict(one) for one in tests],
        "boards": [
            {name: value for name, value in asdict(one).items() if name != "project"} for one in boards
        ],
        "notes": list(findings.notes),
    }


def _show(
    findings: Findings, *, tests: Sequence[Judged], boards: Sequence[Judged], several_projects: bool
) -> None:
    from rich.text import Text

    console = console_of_output()
    if not findings.tests:
        console.print(
            Text("No test is in the history: sessions with a bench record theirs, unless --history off.")
        )
        return
    tables = (
        *((_table("board", boards),) if boards else ()),
        *((_table("test", tests, several_projects=several_projects),) if tests else ()),
    )
    for number, table in enumerate(tables):
        if number:
            console.print()
        with console.capture() as captured:
            console.print(table)
        for line in captured.get().splitlines():
            sys.stdout.write(f"{line.rstrip()}\n")
    console.print()
    for note in findings.notes:
        console.print(Text(note))
    sessions = findings.sessions
    console.print(Text(f"Drawn from {sessions} session{'' if sessions == 1 else 's'}."))


def _table(title: str, rows: Iterable[Judged], *, several_projects: bool = False) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in (title, "judgement", "runs", "failed", "verdicts", "why"):
        table.add_column(name, overflow="fold", justify="right" if name in {"runs", "failed"} else "left")
    for one in rows:
        judgement = Text(str(one.judgement), style=_STYLES[one.judgement])
        table.add_row(
            Text(f"{one.project}: {one.name}" if several_projects else one.name),
            judgement,
            str(one.runs),
            str(one.failures),
            ", ".join(f"{verdict} {number}" for verdict, number in one.verdicts.items()),
            Text(_why(one)),
        )
    return table


def _why(one: Judged) -> str:
    if one.since is not None:
        return f"{one.reason}, since {age(time.time() - one.since)} ago"
    if one.rate is not None:
        return f"{one.reason}; about {one.rate:.0%} by itself"
    return one.reason
