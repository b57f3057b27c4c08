"""``harness report``: one self-contained page out of Allure results.

Allure 3 makes the page; its analytics script is taken out, and a policy in the page forbids the browser to
load anything from anywhere. What a category is follows from the verdict of a failed test.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from harness.errors import RigFault, UsageError
from harness.verdicts import Verdict

RESULTS = Path("build/suites/allure-results")
PAGE = Path("build/report/index.html")
ALLURE = Path("build/allure/node_modules/.bin/allure")
LARGEST_PAGE = 30_000_000
OLDEST_NODE = 20
DEADLINE = 300.0

_ANALYTICS = re.compile(
    r"<script[^>]*\bsrc=\"https?://[^\"]*\"[^>]*>\s*</script>|<script>(?:(?!</script>).)*?gtag\(.*?</script>",
    re.DOTALL,
)
_FOREIGN = re.compile(
    r"<(?:script|link|img|iframe)\b[^>]{0,500}?\b(?:src|href)=[\"']?(?:https?:)?//", re.IGNORECASE
)
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src data: blob: \'unsafe-inline\' '
    "'unsafe-eval'; base-uri 'none'; form-action 'none'\">"
)


def add_to(app: typer.Typer) -> None:
    """Add the command.

    :param app: the application.
    """

    @app.command("report")
    def report(
        results: Annotated[Path, typer.Argument(help="What --alluredir wrote.")] = RESULTS,
        *,
        output: Annotated[Path, typer.Option(help="The page to write.")] = PAGE,
        allure: Annotated[Path, typer.Option(help="The command of Allure 3 (npm package allure).")] = ALLURE,
        title: Annotated[str, typer.Option(help="Title of the page.")] = "Provisioning suites",
    ) -> None:
        """Make one page of the results of a run; needs Node and Allure 3 (make report installs it)."""
        page = make_page(results, allure=allure, title=title)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page, encoding="utf-8")
        typer.echo(f"Report: {output} ({len(page.encode()) / 1_000_000:.1f} MB, needs nothing from the net)")


def make_page(results: Path, *, allure: Path, title: str) -> str:
    """Have Allure make the page, and make it self-contained.

    :param results: directory of Allure results.
    :param allure: the command of Allure 3.
    :param title: title of the page.
    :raises UsageError: there are no results, no Allure, or no Node that is new enough.
    :raises RigFault: Allure fails, or its page is too large or loads something from the net.
    """
    if not any(results.glob("*-result.json")):
        raise UsageError("no results here", file=results, expected="a directory that --alluredir wrote")
    _check_node()
    if not allure.is_file():
        raise UsageError(
            "not found", file=allure, key="--allure", expected="Allure 3; make report installs it"
        )
    with tempfile.TemporaryDirectory(prefix="harness-report-") as scratch:
        configuration = Path(scratch) / "allurerc.mjs"
        configuration.write_text(
            f"export default {json.dumps(allure_configuration(title, Path(scratch) / 'page'))}\n",
            encoding="utf-8",
        )
        _run_allure(
            [str(allure.resolve()), "generate", str(results.resolve()), "--config", str(configuration)]
        )
        pages = sorted((Path(scratch) / "page").rglob("index.html"))
        if not pages:
            raise RigFault("Allure made no page")
        return self_contained(pages[0].read_text(encoding="utf-8"))


def allure_configuration(title: str, output: Path) -> dict[str, object]:
    """Return the configuration for Allure 3: one file, and a category a verdict.

    :param title: title of the page.
    :param output: directory to write to.
    """
    return {
        "name": title,
        "output": str(output),
        "categories": [
            {"name": f"{verdict}: {verdict.meaning}", "matchers": {"labels": {"verdict": f"^{verdict}$"}}}
            for verdict in Verdict
        ],
        "plugins": {
            "awesome": {"options": {"singleFile": True, "reportLanguage": "en", "reportName": title}}
        },
    }


def self_contained(page: str) -> str:
    """Take out of a page what would load anything from the net, and forbid the browser to try.

    :param page: the page that Allure made.
    :raises RigFault: something is left that would be loaded, or the page is too large.
    """
    page = _ANALYTICS.sub("", page)
    page, replaced = re.subn(r"<head[^>]*>", lambda found: found[0] + _POLICY, page, count=1)
    left = _FOREIGN.search(page)
    if left is not None or not replaced:
        what = left[0][-200:] if left else "a page without a head"
        raise RigFault(f"the page would load something from the net: {what}")
    if len(page.encode()) > LARGEST_PAGE:
        raise RigFault(f"the page has {len(page.encode())} bytes, more than {LARGEST_PAGE}")
    return page


def _check_node() -> None:
    node = shutil.which("node")
    version = ""
    if node is not None:
        version = subprocess.run(
            [node, "--version"], capture_output=True, text=True, check=False, timeout=30
        ).stdout
    found = re.match(r"v(\d+)\.", version)
    if found is None or int(found[1]) < OLDEST_NODE:
        raise UsageError(
            "the report needs Node",
            key="node",
            value=version.strip() or "none",
            expected=f"{OLDEST_NODE} or newer",
        )


def _run_allure(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE)
    except subprocess.TimeoutExpired as error:
        raise RigFault(f"Allure did not end within {DEADLINE:.0f} s") from error
    except OSError as error:
        raise UsageError(f"cannot be run: {error.strerror}", file=command[0], key="--allure") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-500:]
        raise RigFault(f"Allure ended with {done.returncode}: {said}")
