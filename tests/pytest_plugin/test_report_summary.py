"""The summary: what it says, that it needs nothing else, and that nothing secret or broken gets in."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Literal

import pytest

from harness.errors import UsageError
from harness.pytest_plugin.report_records import BoardUsed, SessionRecords, TestFacts
from harness.pytest_plugin.report_summary import BenchFacts, SummaryPage, write_summary

if TYPE_CHECKING:
    from pathlib import Path

VIRTUAL = BenchFacts(
    bench="virtual",
    boards=(("virtual-1", "nrf9161dk"), ("virtual-2", "nrf9151dk")),
    backends=(("nrfcloud", "fake", "http://127.0.0.1:4711"),),
    versions=(("python", "3.11.7"),),
)
ATTACHED = BenchFacts(bench="attached", boards=(("960012345", "nrf9161dk"),))


class Page(HTMLParser):
    """Read a page as a browser would: its tags, where they point, its text."""

    def __init__(self, page: str) -> None:
        """Read the page."""
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.targets: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag and where it points."""
        self.tags.add(tag)
        self.targets += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Each tag that ends must be the one that began last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data + "\n"


def records(details: str = "E   assert 403 == 204") -> SessionRecords:
    """Make the records of one test of each outcome."""
    made = SessionRecords()
    board = BoardUsed(id="virtual-1", kind="nrf9161dk", bench="virtual")
    outcomes: list[tuple[str, Literal["passed", "failed"], str | None]] = [
        ("good", "passed", None),
        ("bad", "failed", "product"),
    ]
    for name, outcome, verdict in outcomes:
        report = pytest.TestReport(
            f"suites/nrfcloud/test_x.py::test_{name}",
            ("test_x.py", 1, name),
            {},
            outcome,
            details if verdict else None,
            "call",
            duration=1.5,
        )
        TestFacts(
            boards=[board],
            backends=["nrfcloud=fake"],
            proves=[("claim", f"{name} <outcome>")],
            verdict=verdict,
            console_tail="+CME ERROR: 518" if verdict else "",
            repeat="pytest suites --bench virtual" if verdict else "",
        ).put_on(report)
        made.add(report)
    made.collect(["suites/nrfcloud/test_x.py::test_never"])
    return made


def test_the_page_tells_what_happened() -> None:
    """Counts, verdict, console tail, how to repeat, what did not run and what was proven are on the page."""
    page = Page(str(SummaryPage(VIRTUAL, records())))

    assert page.open == []
    for text in (
        "the board did wrong, and it still answers",
        "E   assert 403 == 204",
        "+CME ERROR: 518",
        "pytest suites --bench virtual",
        "suites/nrfcloud/test_x.py::test_never",
        "1 distinct (operation, outcome) pairs",
        "good <outcome>",
        "virtual-1 (nrf9161dk), virtual-2 (nrf9151dk)",
        "nrfcloud=fake at http://127.0.0.1:4711",
        "python 3.11.7",
        "1.50",
    ):
        assert text in page.text
    assert "bad <outcome>" not in page.text


def test_the_page_needs_nothing_else() -> None:
    """No script, and nothing that a browser would fetch."""
    page = Page(str(SummaryPage(VIRTUAL, records("<script src='http://example.com/x.js'></script>"))))

    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed"}
    assert page.targets == []
    assert "<script src='http://example.com/x.js'>" in page.text


def test_virtual_boards_cannot_pass_for_hardware() -> None:
    """The first line of the page says which it was."""
    assert "VIRTUAL BENCH: 2 boards, all simulated" in Page(str(SummaryPage(VIRTUAL, records()))).text
    attached = Page(str(SummaryPage(ATTACHED, records()))).text
    assert "HARDWARE: 1 board attached" in attached
    assert "VIRTUAL BENCH" not in attached


def test_a_failure_without_facts_is_shown_all_the_same() -> None:
    """A test whose worker died has no verdict of a worker; the page says so."""
    made = SessionRecords()
    made.add(pytest.TestReport("t.py::t", ("t.py", 1, "t"), {}, "failed", "worker 'gw0' crashed", "call"))
    page = Page(str(SummaryPage(BenchFacts(bench="virtual"), made)))

    assert "worker 'gw0' crashed" in page.text
    assert "no verdict" in page.text


def test_page_and_data_are_written_redacted(tmp_path: Path) -> None:
    """Both files come into a directory that did not exist; a secret is in neither, and the JSON is whole."""
    file = tmp_path / "new" / "summary.html"
    write_summary(file, VIRTUAL, records('key "s3cret"'), lambda text: text.replace('"s3cret"', "[key]"))

    data = json.loads(file.with_suffix(".json").read_text())
    assert data["accounts"] == {
        "collected": 3,
        "passed": 1,
        "failed": 1,
        "skipped": 0,
        "not_run": 1,
        "retried": 0,
    }
    assert data["pairs"] == [{"operation": "claim", "outcome": "good <outcome>"}]
    assert data["tests"][1]["verdict"] == "product"
    assert data["tests"][1]["reason"] == "key [key]"
    assert data["bench"] == "virtual"
    assert "s3cret" not in file.read_text()


def test_a_summary_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    """The message names the file and the option."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--summary: cannot be written"):
        write_summary(tmp_path / "file" / "summary.html", VIRTUAL, records(), str)
