"""JUnit's document has one test case for each test, whatever the tests came to."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from _pytest.junitxml import LogXML, xml_key

from harness.pytest_plugin.report_junit import JunitBook
from tests.pytest_plugin.test_report_records import report

if TYPE_CHECKING:
    from pathlib import Path

A, B = "test_x.py::test_a", "test_x.py::TestB::test_b[1::2]"


class Document:
    """pytest's writer, beside what keeps its test cases in order."""

    def __init__(self, file: Path) -> None:
        """Begin a session."""
        self._xml = LogXML(str(file), None)
        self.book = JunitBook(cast("Any", SimpleNamespace(stash={xml_key: self._xml})))
        self._plugins = pytest.PytestPluginManager()
        self._plugins.register(self._xml)
        self._plugins.register(self.book)
        self._xml.pytest_sessionstart()
        self._file = file

    def tell(self, *reports: pytest.TestReport) -> None:
        """Hear reports."""
        for each in reports:
            self._plugins.hook.pytest_runtest_logreport(report=each)

    def write(self) -> ET.Element:
        """End the session; return its suite."""
        self.book.close()
        self._xml.pytest_sessionfinish()
        suite = ET.parse(self._file).getroot().find("testsuite")  # noqa: S314 - written a moment ago
        assert suite is not None
        return suite


@pytest.fixture
def document(tmp_path: Path) -> Document:
    """A document without test cases."""
    return Document(tmp_path / "junit.xml")


def phases(call: str, nodeid: str = A, worker: str = "gw0") -> list[pytest.TestReport]:
    """Make the reports of a test in a worker."""
    text = None if call == "passed" else "it broke"
    return [
        report(nodeid, "setup", node=worker),
        report(nodeid, "call", call, text, node=worker),
        report(nodeid, "teardown", node=worker),
    ]


def test_a_test_that_did_not_run(document: Document) -> None:
    """It is skipped for whoever knows no more of JUnit, and of a type of its own for whoever does."""
    document.tell(report(A, "setup", node="gw0"))  # it began, and nobody heard more
    document.book.add_test_not_run(A, "stopping <after> 1 failures")
    document.book.add_test_not_run(B, "interrupted")
    document.book.add_property("accounts", "2 collected = ...")

    suite = document.write()

    cases = suite.findall("testcase")
    assert [(case.get("classname"), case.get("name")) for case in cases] == [
        ("test_x", "test_a"),
        ("test_x.TestB", "test_b[1::2]"),
    ]
    (skipped,) = cases[0]
    assert skipped.tag == "skipped"
    assert skipped.get("type") == "harness.not_run"
    assert skipped.get("message") == "not run: stopping <after> 1 failures"
    assert (suite.get("tests"), suite.get("skipped"), suite.get("failures")) == ("2", "2", "0")
    (told,) = suite.iter("property")
    assert (told.get("name"), told.get("value")) == ("accounts", "2 collected = ...")


def test_a_try_before_the_last_one(document: Document) -> None:
    """It has no test case that looks as if it had passed, on whichever worker it ran."""
    document.tell(*phases("rerun"), *phases("rerun"), *phases("passed", worker="gw1"), *phases("passed", B))

    suite = document.write()

    assert [case.get("name") for case in suite.findall("testcase")] == ["test_a", "test_b[1::2]"]
    assert suite.get("tests") == "2"


def test_parts_of_a_try_before_the_last_one(document: Document) -> None:
    """Their failures, told before, are not counted either."""
    setup, call, teardown = phases("rerun")
    part = report(A, "call", "failed", "a part", node="gw0")
    document.tell(setup, part, call, teardown, *phases("passed"))

    suite = document.write()

    (case,) = suite.findall("testcase")
    assert len(case) == 0
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")


def test_a_try_that_counts_after_all(document: Document) -> None:
    """A failure that nobody tries again, behind one that would have been."""
    setup, call, _ = phases("rerun")
    document.tell(setup, call, report(A, "teardown", "failed", "worse", node="gw0"))

    (case,) = document.write().findall("testcase")

    assert [node.tag for node in case] == ["error"]


@pytest.mark.parametrize("outcome", ["failed", "rerun"])
def test_a_worker_that_died(document: Document, outcome: str) -> None:
    """The properties of the test are there, although nothing was torn down; a try that is repeated is not."""
    crash = report(A, "???", outcome, "crashed", node="gw0", user_properties=[("board", "a")])
    document.tell(report(A, "setup", node="gw0"), crash)

    cases = document.write().findall("testcase")

    assert len(cases) == (outcome == "failed")
    for case in cases:
        assert case.find("error") is not None
        assert [prop.get("value") for prop in case.iter("property")] == ["a"]


def test_without_a_document() -> None:
    """Nothing is kept where nobody asked for it."""
    book = JunitBook(cast("Any", SimpleNamespace(stash={})))
    plugins = pytest.PytestPluginManager()
    plugins.register(book)

    plugins.hook.pytest_runtest_logreport(report=report(A))
    book.add_property("accounts", "none")
    book.add_test_not_run(A, "interrupted")
    book.close()
