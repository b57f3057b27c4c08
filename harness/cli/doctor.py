"""``harness doctor``: what about this host may keep sessions from working, and what to do about it."""

from __future__ import annotations

import json
import sys
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.hand import ATTACHED, RigOption, read_settings
from harness.cli.report import PLACES_OF_ALLURE
from harness.doctor.findings import Finding, Level
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.doctor.checkup import Checkup
    from harness.plugins import HarnessPluginManager

_ORDER = (Level.OK, Level.WARNING, Level.PROBLEM)  # the worst is what is seen last, above the prompt
_WORDS = {Level.OK: "ok", Level.WARNING: "warning", Level.PROBLEM: "PROBLEM"}
_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "bold red"}
_WIDTH = 100
_MARGIN = "    "


def add_to(app: typer.Typer, plugins: HarnessPluginManager) -> None:
    """Add the command.

    :param app: the application.
    :param plugins: the loaded plugins.
    """

    @app.command("doctor")
    def doctor(
        context: typer.Context,
        *,
        rig: RigOption = None,
        fix: Annotated[
            bool,
            typer.Option(
                "--fix", help="Make the directory of leases and remove what dead sessions left; nothing else."
            ),
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
        udev_rules: Annotated[
            bool, typer.Option("--udev-rules", help="Print rules of udev for the boards that are known.")
        ] = False,
    ) -> None:
        """Look for what may keep sessions from working, and say what to do about it."""
        from harness.doctor.checkup import Checkup, vendors_of_boards
        from harness.doctor.udev import rules_for
        from harness.inventory.serial_ports import list_serial_ports

        if udev_rules:
            typer.echo("\n".join(rules_for(vendors_of_boards(plugins, list_serial_ports()))))
            return
        mistakes = []
        try:
            read_settings(context, plugins, ATTACHED, rig)  # it may say where leases are
        except UsageError as error:
            mistakes.append(_mistake_in_rig_file(error))
        done: list[str] = []
        if fix:
            done = Checkup(plugins, PLACES_OF_ALLURE).mend()
        checkup = Checkup(plugins, PLACES_OF_ALLURE)
        checkup.findings[:0] = mistakes
        if as_json:
            _print_json(checkup, done)
        else:
            _print_findings(checkup.findings, done)
        if not checkup.healthy:
            raise typer.Exit(1)


def _mistake_in_rig_file(error: UsageError) -> Finding:
    return Finding(
        check="rig file", level=Level.PROBLEM, what=str(error), why="No session on hardware starts with it."
    )


def _print_json(checkup: Checkup, done: Sequence[str]) -> None:
    typer.echo(
        json.dumps(
            {
                "healthy": checkup.healthy,
                "fixed": list(done),
                "findings": [finding.to_json() for finding in checkup.findings],
            },
            indent=2,
        )
    )


def _print_findings(findings: Sequence[Finding], done: Iterable[str]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False, soft_wrap=True)
    for line in done:
        console.print(Text(f"--fix: {line}"))
    for finding in sorted(findings, key=lambda finding: _ORDER.index(finding.level)):
        if finding.level is not Level.OK:
            console.print()
        title = Text(f"{_WORDS[finding.level]:<8} ", style=_STYLES[finding.level])
        title.append(f"{finding.check}: {finding.what}", style="default")
        console.print(title)
        for text in (finding.why, finding.advice):
            for line in textwrap.wrap(text, _WIDTH):
                console.print(Text(_MARGIN + line))
        if finding.fixable and finding.level is not Level.OK:
            console.print(Text(f"{_MARGIN}harness doctor --fix mends it."))
        for command in finding.commands:
            console.print(Text(f"{_MARGIN}    {command}", style="cyan"))
    counts = Counter(finding.level for finding in findings)
    numbers = [
        f"{counts[level]} {level}{'' if counts[level] == 1 else 's'}"
        for level in (Level.PROBLEM, Level.WARNING)
        if counts[level]
    ]
    console.print(Text(f"\n{', '.join(numbers)}." if numbers else "\nAll is well."))
