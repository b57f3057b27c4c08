"""``harness backend check``: how a service differs from our fake of it."""

from __future__ import annotations

import json
import re
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from harness.backends.contract import UnkeptAccounts
from harness.backends.elsewhere import backend_elsewhere
from harness.backends.launcher import start_fake
from harness.cli.interrupts import end_on_signals
from harness.config import parse_backends, runtime_directory
from harness.errors import UsageError
from harness.plugins import load_object

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.backends.checking import CheckResult
    from harness.backends.contract import Accounts, Backend, BackendSpec

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
        viewer_key_file: Annotated[
            Path | None, typer.Option(help="Likewise, the key of a viewer of that team: who may only look.")
        ] = None,
        own_team: Annotated[
            bool,
            typer.Option("--own-team", help="The team is one for tests: make things in it, and undo them."),
        ] = False,
        control: Annotated[
            Path | None,
            typer.Option(help="Control socket of a served fake: with --own-team a device is claimed, too."),
        ] = None,
        address: Annotated[
            list[str] | None,
            typer.Option(
                help="Where a part of the service is: coap=coap://127.0.0.1:5683; may be repeated.",
                metavar="PART=URL",
            ),
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
        theirs = backend_elsewhere(spec, choice)
        theirs = replace(theirs, addresses={**theirs.addresses, **_addresses(address or [])})
        keys = (key_file, viewer_key_file)
        result = _compare(spec, theirs, keys, own_team=own_team, control=control)
        if as_json:
            typer.echo(json.dumps(asdict(result), indent=2))
        else:
            _show(result)
        if result.differences:
            raise typer.Exit(_DIFFERENT)


def _addresses(options: Sequence[str]) -> dict[str, str]:
    """Read the options ``--address``.

    :raises UsageError: one of them is no address of a part.
    """
    found = {}
    for option in options:
        part, _equals, url = option.partition("=")
        if not re.fullmatch(r"[a-z]+", part) or not _is_address(url):
            raise UsageError(
                "no address of a part",
                key="--address",
                value=option,
                expected="PART=URL, for example coap=coap://127.0.0.1:5683",
            )
        found[part] = url.rstrip("/")
    return found


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.scheme and parts.hostname and parts.port != 0)
    except ValueError:  # no port
        return False


def _compare(
    spec: BackendSpec,
    theirs: Backend,
    keys: tuple[Path | None, Path | None],
    *,
    own_team: bool,
    control: Path | None,
) -> CheckResult:
    from harness.backends.checking import CheckRequest

    run: Callable[[CheckRequest], CheckResult] = load_object(str(spec.check))
    with ExitStack() as resources:
        if own_team:
            end_on_signals()  # what was made is undone first
        directory = resources.enter_context(
            tempfile.TemporaryDirectory(prefix="check-", dir=runtime_directory())
        )
        fake = resources.enter_context(start_fake(spec, Path(directory), lifeline=None))
        key_file, viewer_key_file = keys
        return run(
            CheckRequest(
                theirs=theirs,
                ours=fake.backend,
                key_file=key_file,
                own_team=own_team,
                control=control,
                viewer_key_file=viewer_key_file,
                accounts=_accounts(theirs, resources) if own_team else UnkeptAccounts(),
            )
        )


def _accounts(theirs: Backend, resources: ExitStack) -> Accounts:
    """Open the ledger as a session of its own, which lives as long as this process."""
    from harness.backends.ledger import Ledger
    from harness.session_directory import new_run_id
    from harness.session_lock import SessionLock, remove_locks_of_the_dead

    ledger = resources.enter_context(Ledger())
    run_id = new_run_id()

    def tidy_up() -> None:
        if left := len(ledger.entries(session=run_id)):
            typer.echo(f"left in the service: {left}; 'harness sweep' shows it and tries again", err=True)
        remove_locks_of_the_dead({entry.session for entry in ledger.entries()})

    resources.callback(tidy_up)
    resources.enter_context(SessionLock(run_id))
    return ledger.accounts(
        session=run_id, worker="check", backend=theirs.name, mode=theirs.mode, url=theirs.url
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
    for what in result.left:
        typer.echo(f"LEFT in the service: {what}")
