"""Pairs: which are counted, how they are shown, and what falls short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import UsageError
from harness.pytest_plugin.report_pairs import (
    Expected,
    of_suites,
    pairs_of,
    proven_pairs,
    read_expected,
    shortcomings,
    table_of_pairs,
)
from harness.pytest_plugin.report_records import Outcome, TestFacts, TestRecord

if TYPE_CHECKING:
    from pathlib import Path


class ItemWithMarks:
    """The little of a pytest item that markers are read from."""

    nodeid = "suites/nrfcloud/test_x.py::test_x"

    def __init__(self, *marks: pytest.MarkDecorator) -> None:
        """Hold marks, the nearest first, as pytest gives them."""
        self.marks = [mark.mark for mark in marks]

    def iter_markers(self, name: str) -> Any:
        """Iterate over the marks of one name."""
        return (mark for mark in self.marks if mark.name == name)


def record(*pairs: tuple[str, str], outcome: Outcome = "passed", suite: str = "nrfcloud") -> TestRecord:
    """Make the record of a test that proves pairs."""
    facts = TestFacts(suite=suite, proves=list(pairs))
    return TestRecord(nodeid=f"suites/{suite}/t.py::t", outcome=outcome, reason="no such board", facts=facts)


def test_every_marker_of_a_test_counts() -> None:
    """A test may prove several pairs, of its class or module and of its own, by position or by name."""
    item: Any = ItemWithMarks(
        pytest.mark.proves("claim", "409 for a stranger"),
        pytest.mark.board(driver="nrf91"),
        pytest.mark.proves(operation=" claim ", outcome="201"),
    )

    assert pairs_of(item) == [("claim", "201"), ("claim", "409 for a stranger")]


@pytest.mark.parametrize(
    "mark",
    [
        pytest.mark.proves("claim"),
        pytest.mark.proves("claim", "201", "x"),
        pytest.mark.proves("claim", 201),
        pytest.mark.proves("claim", " "),
        pytest.mark.proves("claim", operation="201"),
        pytest.mark.proves(),
    ],
)
def test_a_malformed_marker_is_refused(mark: pytest.MarkDecorator) -> None:
    """Anything but two texts is an error that names the test, the marker and what is expected."""
    item: Any = ItemWithMarks(mark)
    with pytest.raises(UsageError, match=r"test_x\.py::test_x: proves: malformed.*@pytest\.mark\.proves"):
        pairs_of(item)


def test_only_tests_that_passed_prove() -> None:
    """A failed or skipped test proves nothing; two tests of one pair count once."""
    tests = [
        record(("claim", "201"), ("block", "200")),
        record(("claim", "201")),
        record(("claim", "404"), outcome="failed"),
        record(("claim", "500"), outcome="skipped"),
    ]

    assert proven_pairs(tests) == [("block", "200"), ("claim", "201")]


def test_the_table_groups_by_operation_and_counts() -> None:
    """Each operation is named once, outcomes are aligned, and the last line is the count."""
    pairs = [("block", "200"), ("claim a device", "201"), ("claim a device", "409")]

    assert list(table_of_pairs(pairs)) == [
        "block           200",
        "claim a device  201",
        "                409",
        "3 distinct (operation, outcome) pairs",
    ]
    assert list(table_of_pairs([])) == ["0 distinct (operation, outcome) pairs"]


def test_expectations_are_read_by_suite(tmp_path: Path) -> None:
    """Each table is a suite; a count that is not given is 0."""
    file = tmp_path / "expected.toml"
    file.write_text("[nrfcloud]\ntests = 60\npairs = 40\nskipped = 0\n[guardian]\ntests = 5\n")

    assert read_expected(file) == {
        "nrfcloud": Expected(tests=60, pairs=40, skipped=0),
        "guardian": Expected(tests=5, pairs=0, skipped=0),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[nrfcloud]\nparis = 1", r"nrfcloud\.paris: unknown key; expected pairs"),
        ("[nrfcloud]\ntests = -1", r"nrfcloud\.tests: not a count \(got -1\); expected a whole number"),
        ("[nrfcloud]\ntests = true", r"nrfcloud\.tests: not a count \(got True\)"),
        ("[nrfcloud]\ntests = 1.5", r"nrfcloud\.tests: not a count"),
        ("nrfcloud = 3", r"nrfcloud: not a table \(got 3\); expected tests and pairs and skipped"),
        ("", "names no suite; expected a table per suite"),
        ("[nrfcloud", "--expected: cannot be read"),
    ],
)
def test_a_wrong_file_of_expectations_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """Each mistake is one message with file, key, value and what was expected."""
    file = tmp_path / "expected.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        read_expected(file)
    assert str(file) in str(caught.value)


def test_a_missing_or_unreadable_file_of_expectations_is_refused(tmp_path: Path) -> None:
    """No file, and one that is not text, are usage errors too."""
    with pytest.raises(UsageError, match="No such file"):
        read_expected(tmp_path / "nowhere.toml")

    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read"):
        read_expected(tmp_path / "binary.toml")


def test_nothing_falls_short_when_every_count_is_reached() -> None:
    """Counts that are reached or exceeded are silent."""
    tests = [record(("claim", "201")), record(("claim", "409")), record(outcome="skipped")]

    assert shortcomings({"nrfcloud": Expected(tests=2, pairs=2, skipped=1)}, tests) == []


def test_each_count_that_falls_short_is_named() -> None:
    """Too few passed tests, too few pairs and a skipped test each have a line that says what is missing."""
    tests = [
        record(("claim", "201")),
        record(("claim", "409"), outcome="failed"),
        record(outcome="skipped"),
        record(("enrol", "ok"), suite="guardian"),
    ]

    assert shortcomings({"nrfcloud": Expected(tests=3, pairs=2)}, tests) == [
        "nrfcloud: 1 tests passed, 3 expected: 2 missing",
        "nrfcloud: 1 distinct (operation, outcome) pairs proven, 2 expected: 1 missing",
        "nrfcloud: 1 tests skipped, at most 0 expected:",
        "  suites/nrfcloud/t.py::t: no such board",
    ]


@pytest.mark.parametrize(
    ("places", "left"),
    [
        ([], "ab"),
        (["suites"], "ab"),
        (["/somewhere/suites/a"], "a"),
        (["suites/a/"], "a"),
        (["suites/a/test_x.py::test_y[a/b.py]", "tests/test_a.py"], "a"),
        (["suites/a", "suites/b/test_x.py"], "ab"),
        (["a/c"], "ab"),
    ],
)
def test_only_what_was_to_be_run_is_expected(places: list[str], left: str) -> None:
    """Who runs one of the suites of a file is not blamed for the others; who names none runs all."""
    expected = {"a": Expected(tests=1), "b": Expected(tests=2)}

    assert "".join(of_suites(expected, places)) == left


def test_a_suite_that_did_not_run_falls_short() -> None:
    """An expected suite without a single test is not forgotten."""
    assert shortcomings({"pelion": Expected(tests=1)}, [record()]) == [
        "pelion: 0 tests passed, 1 expected: 1 missing"
    ]
