"""The Devices page with 10,000 rows in Chromium, beside the same HTML served by a bare route.

The page and its floor are served by processes of the same make (``python -m harness.backends.serving``), and
opened in interleaved rounds by one browser without a window. Measured is what the browser itself says: from
the beginning of the navigation to the end of its load event, when the hundred rows are in the document and
laid out. The floor holds the very bytes that the fake rendered once: what lies between the two is the fake's
own work, finding, counting and rendering. ``--check`` makes a missed target an error.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from harness.backends.contract import BackendSpec
from harness.backends.launcher import start_fake
from tests.guardian.pages.clinic import Clinic
from tests.guardian.pages.looking import Looker, start_browser

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness.backends.contract import FakeSettings

ROWS = 10_000
FIRST_PAGE = 1.5
FILTERED = 1.0
MOST_ROWS = 500
SYSTEM = "Infusion"
KEPT = "kept"
PAGE = "page.html"

#: What is measured: its name, its address, and the seconds that it may take.
ASKED = (
    ("first 100 of 10,000 rows", f"/devices?system={SYSTEM}", FIRST_PAGE),
    ("filter: one status", f"/devices?system={SYSTEM}&status=needs_approval", FILTERED),
    ("filter: all statuses passed", f"/devices?system={SYSTEM}&status=provisioned&view=history", FILTERED),
    ("filter: one hardware id", f"/devices?system={SYSTEM}&hw_id=none", FILTERED),
    ("last page", f"/devices?system={SYSTEM}&page=100", FIRST_PAGE),
    ("panel of a bulk rejection", f"/devices?system={SYSTEM}&bulk=reject", FIRST_PAGE),
)


class Floor:
    """Answers with files that were kept, whatever their query says."""

    def __init__(self, directory: Path) -> None:
        """Serve a directory."""
        self._kept = {path.name: path.read_bytes() for path in directory.iterdir()}
        self.service = Starlette(routes=[Route("/{path:path}", self.answer)])
        self.control = Starlette()

    async def answer(self, request: Request) -> Response:
        """Answer with the page, or what belongs to it."""
        name = request.url.path.rpartition("/")[2]
        types = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
        kind = types.get(name.rpartition(".")[2], "text/html")
        return Response(self._kept.get(name, self._kept[PAGE]), media_type=kind)


def create_floor(settings: FakeSettings) -> Floor:
    """Make the floor that the runner serves."""
    return Floor(Path(settings.options[KEPT]))


def keep_page(looker: Looker, path: str, directory: Path) -> None:
    """Keep the bytes of a page and of what belongs to it."""
    fetched = "return fetch(arguments[0]).then(answer => answer.text())"
    directory.mkdir()
    page = looker.script(fetched, path)
    # The floor's own page asks for no changes: nobody would answer.
    (directory / PAGE).write_text(page.replace("data-watch", "data-unwatched"), encoding="utf-8")
    for name in ("guardian.css", "guardian.js", "guardian.svg"):
        (directory / name).write_text(looker.script(fetched, f"/pages/{name}"), encoding="utf-8")


def opened(looker: Looker, address: str) -> tuple[float, int]:
    """Open a page.

    :return: seconds until its load event was over, and rows of tables in the document.
    """
    looker.browser.get(address)
    told: dict[str, Any] = looker.script(
        "const entry = performance.getEntriesByType('navigation')[0];"
        "document.body.getBoundingClientRect();"
        "return {seconds: entry.loadEventEnd / 1000, rows: document.querySelectorAll('tr').length}"
    )
    return told["seconds"], told["rows"]


def measure(rounds: int) -> bool:
    """Measure and print.

    :return: whether every target is met.
    """
    print(f"{'':34}{'page':>9}{'floor':>9}{'target':>9}{'rows':>7}")
    with ExitStack() as resources:
        directory = Path(resources.enter_context(tempfile.TemporaryDirectory()))
        spec = BackendSpec(name="guardian", title="", client="", fake="harness_guardian.fakes:create")
        fake = resources.enter_context(start_fake(spec, directory, lifeline=None))
        clinic = Clinic.of(fake.backend, "bench")
        resources.callback(clinic.close)
        clinic.rows(clinic.system(SYSTEM), ROWS)
        browser = start_browser(directory)
        resources.callback(browser.quit)
        looker = Looker(browser, fake.backend.url, clinic.tokens)
        good = True
        for number, (name, path, target) in enumerate(ASKED):
            looker.open(path)
            keep_page(looker, path, directory / f"kept-{number}")
            floor_spec = BackendSpec(
                name=f"floor-{number}",
                title="",
                client="",
                fake="benchmarks.bench_guardian_pages:create_floor",
            )
            floor = resources.enter_context(
                start_fake(
                    floor_spec, directory, lifeline=None, options={KEPT: str(directory / f"kept-{number}")}
                )
            )
            page: list[float] = []
            bare: list[float] = []
            for _ in range(rounds):
                seconds, rows = opened(looker, f"{fake.backend.url}{path}")
                page.append(seconds)
                bare.append(opened(looker, f"{floor.backend.url}{path}")[0])
            floor.close()
            middle, under = statistics.median(page), statistics.median(bare)
            good = good and middle <= target and rows <= MOST_ROWS
            print(f"{name:34}{middle:8.3f}s{under:8.3f}s{target:8.1f}s{rows:7}", flush=True)
    return good


def main() -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--check", action="store_true", help="a missed target is an error")
    options = parser.parse_args()
    good = measure(options.rounds)
    return 0 if good or not options.check else 1


if __name__ == "__main__":
    sys.exit(main())
