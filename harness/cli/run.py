"""``harness run`` and ``harness plan``: the shipped suites, with pytest's own options passed through."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from harness.errors import UsageError
from harness.shipped import shipped_suites

if TYPE_CHECKING:
    from collections.abc import Sequence

# Pytest has six exit codes, we have three: 0 done, 1 failed, 4 used wrongly or no test selected.
RUN_PYTEST = "import sys, pytest; code = pytest.main(sys.argv[1:]); sys.exit({0: 0, 4: 4, 5: 4}.get(code, 1))"
CONFIGURATION = Path(__file__).with_name("suites.ini")
_PASS_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": True}


def add_to(app: typer.Typer) -> None:
    """Add the commands.

    :param app: the application.
    """

    @app.command("run", context_settings=_PASS_THROUGH)
    def run(
        context: typer.Context,
        suite: Annotated[
            str, typer.Argument(metavar="SUITE", help="Name of a shipped suite, for example nrfcloud.")
        ],
    ) -> None:
        """Run a shipped suite; all further options are pytest's (harness run nrfcloud --bench virtual)."""
        start_pytest([*suite_arguments(suite), *context.args])

    @app.command("plan", context_settings=_PASS_THROUGH)
    def plan(
        context: typer.Context,
        suite: Annotated[
            str, typer.Argument(metavar="SUITE|PATH", help="A shipped suite, or a path to your own tests.")
        ],
    ) -> None:
        """Show which test would run on which board, or why not; nothing is run."""
        where = [suite] if Path(suite).exists() else suite_arguments(suite)
        start_pytest([*where, "--plan", *context.args])


def suite_arguments(name: str) -> list[str]:
    """Return the arguments that make pytest run a shipped suite, and run it alike wherever it is installed.

    :param name: name of the suite.
    :raises UsageError: there is no such suite; the message lists those that there are.
    """
    suites = shipped_suites()
    if name not in suites:
        raise UsageError("no such suite", key="SUITE", value=name, expected=" or ".join(suites))
    directory = suites[name]
    return [
        str(directory),
        f"--config-file={CONFIGURATION}",
        f"--rootdir={directory.parent.parent}",
        f"--confcutdir={directory.parent}",
        # An installation may be read-only and is nobody's place for a cache.
        f"--override-ini=cache_dir={Path.cwd() / '.pytest_cache'}",
    ]


def start_pytest(arguments: Sequence[str]) -> NoReturn:
    """Become pytest: this process goes on as a fresh Python that runs it.

    Fresh, because pytest has to load the harness before anybody else did, to rewrite the asserts of plugins;
    the same process, so that every signal reaches pytest and nobody is left behind.

    :param arguments: its command line.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-c", RUN_PYTEST, *arguments])  # noqa: S606 - no shell
