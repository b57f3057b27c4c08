"""Entry point of the ``harness`` command: one application, three exit codes.

0 means done, 1 that something failed, 4 that the command was used wrongly. A wrong use is one line on
standard error, never a traceback.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

from harness import __version__
from harness.cli import (
    backend,
    bench,
    boards,
    console,
    doctor,
    history,
    lease,
    merge,
    profile,
    quarantine,
    report,
    rig,
    run,
    send,
    sweep,
)
from harness.errors import HarnessError, UsageError
from harness.plugins import load_plugins
from harness.redaction import Redactor, protect_messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.plugins import HarnessPluginManager

DONE = 0
FAILED = 1
WRONG_USE = 4


def make_app(plugins: HarnessPluginManager) -> typer.Typer:
    """Make the application: our commands, and those of the plugins.

    :param plugins: the loaded plugins.
    :raises UsageError: two plugins, or a plugin and we, have a command of the same name.
    """
    app = typer.Typer(
        name="harness",
        help="Find boards, and prove their provisioning end to end.",
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def options(
        *,
        version: Annotated[
            bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)
        ] = False,
    ) -> None:
        if version:
            typer.echo(f"harness {__version__}")
            raise typer.Exit

    # Version is an option of the application itself: it has to work without a command.
    app.registered_callback.invoke_without_command = True  # type: ignore[union-attr]  # set just above
    boards.add_to(app, plugins)
    console.add_to(app, plugins)
    send.add_to(app, plugins)
    lease.add_to(app, plugins)
    sweep.add_to(app, plugins)
    doctor.add_to(app, plugins)
    run.add_to(app)
    report.add_to(app)
    history.add_to(app)
    merge.add_to(app)
    ours = {
        "backend": backend.make_app(plugins),
        "bench": bench.app,
        "profile": profile.make_app(plugins),
        "quarantine": quarantine.make_app(plugins),
        "rig": rig.make_app(plugins),
    }
    for name, group in ours.items():
        app.add_typer(group, name=name)
    taken = dict.fromkeys(
        [*ours, *(command.name or "" for command in app.registered_commands)], "the harness"
    )
    for name, group in (pair for pairs in plugins.hook.harness_cli_commands() for pair in pairs):
        if name in taken:
            raise UsageError(
                f"the command exists already, by {taken[name]}",
                key="harness_cli_commands",
                value=name,
                expected="another name",
            )
        taken[name] = "another plugin"
        app.add_typer(group, name=name)
    return app


def execute(arguments: Sequence[str]) -> int:
    """Run one command line.

    :param arguments: the words after ``harness``.
    :return: 0 done, 1 failed, 4 used wrongly.
    """
    try:
        plugins = load_plugins()
        app = make_app(plugins)
        with protect_messages(Redactor.of_plugins(plugins)):
            result = app(list(arguments) or ["--help"], prog_name="harness", standalone_mode=False)
    except (UsageError, TyperException) as error:
        complaint = error.format_message() if isinstance(error, TyperException) else str(error)
        if complaint.startswith("Usage:"):  # a group without a command: its help
            typer.echo(complaint)
            return DONE
        return _complain(complaint, WRONG_USE)
    except HarnessError as error:
        return _complain(str(error), FAILED)
    except (typer.Abort, KeyboardInterrupt):
        return _complain("interrupted", FAILED)
    # Typer returns the code of an Exit, or what the command returned; an interrupt is 130 to it.
    return result if result in {DONE, WRONG_USE} else DONE if result is None else FAILED


def _complain(text: str, code: int) -> int:
    """Say in one line what went wrong; control characters, which may come from outside, are shown."""
    line = " ".join(text.split())
    shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)
    sys.stderr.write(f"harness: {shown}\n")
    return code


def main() -> None:
    """Run the command line of this process and exit with its code."""
    code = execute(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # nobody reads any more: the interpreter must not try once more and fail
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or FAILED
    sys.exit(code)
