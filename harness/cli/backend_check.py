"""``harness backend check``: how a service differs from our fake of it."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.backends.launcher import start_fake
from harness.config import parse_backends, runtime_directory
from harness.errors import UsageError
from harness.plugins import load_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.backends.checking import CheckResult
    from harness.backends.contract import BackendSpec
    from harness.config import BackendChoice

_DIFFERENT = 1


def add_to(app: typer.Typer, find: Callable[[str], BackendSpec]) -> None:
    """Add the command.

    :param app: the group of commands.
    :param find: returns a service by name.
    """

    @app.command()
    def check(
        service: Annotated[
            str, typer.Argument(metavar="NAME=real|URL", help="The service, as --backend takes it.")
        ],
        *,
        key_file: Annotated[
            Path | None, typer.Option(help="File with the key of a team; only you may be able to read it.")
        ] = None,
        own_team: Annotated[
            bool, typer.Option("--own-team", help="Make things in the team, too, and undo them.")
        ] = False,
        control: Annotated[
            Path | None,
            typer.Option(help="Control socket of a served fake: with --own-team a device is claimed, too."),
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    ) -> None:
        """Ask a service and our fake of it the same questions, and show where they differ.

        Without --own-team nothing is made: the questions read, or ask for what is not there. Exits with 1
        where the two differ.
        """
        (choice,) = parse_backends([service]).values()
        spec = find(choice.name)
        if choice.mode == "fake" or spec.fake is None or spec.check is None:
            raise UsageError(
                "nothing to compare", key="NAME=real|URL", value=service, expected="a service that is no fake"
            )
        result = _compare(spec, choice, key_file, own_team=own_team, control=control)
        if as_json:
            typer.echo(json.dumps(asdict(result), indent=2))
        else:
            _show(result)
        if result.differences:
            raise typer.Exit(_DIFFERENT)


def _compare(
    spec: BackendSpec, choice: BackendChoice, key_file: Path | None, *, own_team: bool, control: Path | None
) -> CheckResult:
    from harness.backends.checking import CheckRequest
    from harness.backends.elsewhere import backend_elsewhere

    theirs = backend_elsewhere(spec, choice)
    run: Callable[[CheckRequest], CheckResult] = load_object(str(spec.check))
    with (
        tempfile.TemporaryDirectory(prefix="check-", dir=runtime_directory()) as directory,
        start_fake(spec, Path(directory), lifeline=None) as fake,
    ):
        return run(
            CheckRequest(
                theirs=theirs, ours=fake.backend, key_file=key_file, own_team=own_team, control=control
            )
        )


def _show(result: CheckResult) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if result.differences:
        table = Table("question", "of the answer", "the service", "our fake")
        for each in result.differences:
            table.add_row(*(Text(text) for text in (each.question, each.aspect, each.theirs, each.ours)))
        Console().print(table)
    questions = len({each.question for each in result.differences})
    typer.echo(f"{result.asked} questions; {questions} answered otherwise than by our fake")
    for what, why in result.not_checked.items():
        typer.echo(f"not checked: {what} ({why})")
