"""``harness report``: one self-contained page from Allure results, made by Allure 3.

Allure needs Node >= 20; nothing else of the harness does. The page it makes asks a site on the net for a
script. We take that script out, add a policy that keeps a browser from loading any other, and check both.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from harness.cli.report_packing import pack
from harness.errors import HarnessError, UsageError
from harness.verdicts import Verdict

OLDEST_NODE: Final = 20
LARGEST_PAGE: Final = 30 * 1024 * 1024
DEADLINE: Final = 600.0
ALLURE_VARIABLE: Final = "HARNESS_ALLURE"
PLACES_OF_ALLURE = tuple(
    Path(place, "node_modules", ".bin", "allure") for place in ("build/allure", "build", ".")
)


def add_to(app: typer.Typer) -> None:
    """Add the command.

    :param app: the application.
    """
    app.command("report")(report)


def report(
    results: Annotated[Path, typer.Argument(help="Directory that pytest --alluredir wrote.")],
    output: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
    allure: Annotated[
        Path | None,
        typer.Option(
            envvar=ALLURE_VARIABLE,
            help="Allure 3's command, node_modules/.bin/allure; default: that of the build directory.",
        ),
    ] = None,
) -> None:
    """Make one self-contained page of Allure results (needs Node 20 or newer)."""
    if not any(results.glob("*-result.json")):
        raise UsageError(
            "holds no Allure results", file=results, expected="a directory that pytest --alluredir wrote"
        )
    node, command = find_node(), find_allure(allure)
    with tempfile.TemporaryDirectory(prefix="harness-report-") as scratch:
        made = generate(node, command, results, Path(scratch))
        page = make_self_contained(pack(made.read_text(encoding="utf-8")))
    check_page(page)
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(f"{output.name}.partial")
    partial.write_text(page, encoding="utf-8")
    partial.replace(output)
    typer.echo(f"{output} ({len(page.encode()) / 1e6:.1f} MB)")


def find_node() -> Path:
    """Return Node's command.

    :raises UsageError: there is none on the PATH, or it is too old.
    """
    wanted = f"Node {OLDEST_NODE} or newer on the PATH"
    found = shutil.which("node")
    if found is None:
        raise UsageError("the report is made by Allure, which needs Node; there is none", expected=wanted)
    answer = _run([found, "--version"], Path.cwd()).stdout.strip()
    version = re.match(r"v(\d+)\.", answer)
    if version is None or int(version[1]) < OLDEST_NODE:
        raise UsageError(
            "the report is made by Allure, which needs a newer Node",
            file=found,
            value=answer,
            expected=wanted,
        )
    return Path(found)


def find_allure(named: Path | None) -> Path:
    """Return Allure's command.

    :param named: what ``--allure`` or the environment said.
    :raises UsageError: it is not there.
    """
    for place in (named,) if named is not None else PLACES_OF_ALLURE:
        if place.is_file():
            return place.resolve()
    raise UsageError(
        "Allure 3 is not installed",
        file=named,
        key="--allure",
        expected="node_modules/.bin/allure, as made by: npm install --prefix build/allure allure@3",
    )


def generate(node: Path, allure: Path, results: Path, scratch: Path) -> Path:
    """Run Allure and return the page that it made.

    :param scratch: an empty directory for its configuration and its output.
    :raises HarnessError: it failed, took too long or made no page.
    """
    config = scratch / "allurerc.mjs"
    made = scratch / "out" / "index.html"
    config.write_text(f"export default {json.dumps(configuration(results, made.parent), indent=2)};\n")
    try:
        done = _run([node, allure, "generate", results.resolve(), "--config", config], scratch)
    except subprocess.TimeoutExpired as error:
        raise HarnessError(f"Allure made no report within {DEADLINE:.0f} s") from error
    if done.returncode != 0 or not made.is_file():
        last_lines = " | ".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise HarnessError(f"Allure made no report (exit code {done.returncode}): {last_lines}")
    return made


def configuration(results: Path, output: Path) -> dict[str, Any]:
    """Return Allure's configuration: one file, a category for each verdict, a name that tells the bench."""
    return {
        "name": report_name(results),
        "output": str(output),
        "categories": [
            {
                "name": f"{verdict}: {verdict.meaning}",
                "matchers": {"statuses": ["failed", "broken"], "labels": {"verdict": f"^{verdict}$"}},
                "expand": True,
            }
            for verdict in Verdict
        ],
        "plugins": {
            "awesome": {
                "options": {
                    "singleFile": True,
                    "reportLanguage": "en",
                    "groupBy": ["epic", "feature", "story"],
                    "appendTitlePath": False,
                }
            }
        },
    }


def report_name(results: Path) -> str:
    """Return a title that says on which bench it was: no virtual run may pass for one on hardware."""
    try:
        lines = (results / "environment.properties").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return "Provisioning"
    properties = dict(line.split(" = ", 1) for line in lines if " = " in line)
    bench = properties.get("bench")
    return f"Provisioning: {bench}" if bench else "Provisioning"


_SCRIPT_FROM_THE_NET = re.compile(
    r"<script\b[^>]*\bsrc\s*=\s*[\"']?\s*(?:https?:)?//[^>]*>\s*</script>", re.IGNORECASE
)
_ANALYTICS = re.compile(r"<script>(?:(?!</script>).)*\bgtag\((?:(?!</script>).)*</script>", re.DOTALL)
_ANYTHING_FROM_THE_NET = re.compile(
    r"<(?:script|link|iframe|img|object|embed)\b[^>]*?\b(?:src|href|data)\s*=\s*[\"']?\s*(?:https?:)?//[^>]{0,80}",
    re.IGNORECASE,
)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)

#: Nothing but what is in the page: a browser obeys even if a later Allure tries to load something.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src data: blob: \'unsafe-inline\''
    " 'unsafe-eval'; form-action 'none'\">"
)


def make_self_contained(page: str) -> str:
    """Take out what a page loads from the net, and forbid the browser to load more.

    :raises HarnessError: the page has no head.
    """
    page = _ANALYTICS.sub("", _SCRIPT_FROM_THE_NET.sub("", page))
    page, heads = _HEAD.subn(lambda head: head[0] + _POLICY, page, count=1)
    if not heads:
        raise HarnessError("Allure made a page that has no head; is it Allure 3?")
    return page


def check_page(page: str) -> None:
    """Check that a page needs nothing from the net and can be sent around.

    :raises HarnessError: it loads something, or is too large.
    """
    found = _ANYTHING_FROM_THE_NET.search(page)
    if found is not None:
        raise HarnessError(f"the report would load something from the net: {found[0]}")
    size = len(page.encode())
    if size > LARGEST_PAGE:
        raise HarnessError(
            f"the report has {size / 1e6:.1f} MB, at most {LARGEST_PAGE / 1e6:.1f} MB can be sent around; "
            "report fewer tests at once"
        )


def _run(command: list[str | Path], directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "ALLURE_NO_ANALYTICS": "true", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
