"""Reading JUnit reports that nobody vouches for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from harness.errors import UsageError
from harness.merging import junit
from harness.merging.accounts import Accounts, same_accounts
from harness.merging.junit import read_report
from tests.merging.made_up_runs import NOON, MadeUpRun

if TYPE_CHECKING:
    from pathlib import Path

BOMB = """<?xml version="1.0"?>
<!DOCTYPE testsuites [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<testsuites><testsuite name="&b;"/></testsuites>"""
OUTSIDE = """<!DOCTYPE testsuites SYSTEM "file:///etc/passwd"><testsuites><testsuite/></testsuites>"""
# What pytest writes for a test whose call and tear-down failed, and for modules without tests.
OF_PYTEST = """<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest"
errors="2" failures="1" skipped="1" tests="5" time="0.02" timestamp="2026-11-21T18:00:00.5+01:00">
<testcase classname="" name="test_broken"><error message="collection failure">E</error></testcase>
<testcase classname="" name="test_left"><skipped message="collection skipped">E</skipped></testcase>
<testcase classname="t" name="test_twice" time="0.001"><failure message="call">E</failure></testcase>
<testcase classname="t" name="test_twice" time="0.001"><error message="end">E</error></testcase>
<testcase classname="t" name="test_good" time="0.001"/></testsuite></testsuites>"""


def written(tmp_path: Path, text: str | bytes) -> Path:
    """Write a file."""
    file = tmp_path / "junit.xml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_each_outcome_is_told_from_the_others(tmp_path: Path) -> None:
    """A test that did not run is none that was skipped, and an error of a fixture is a failure."""
    tests = {
        "test_a": "passed",
        "test_b": "failed product",
        "test_c": "error",
        "test_d": "skipped",
        "test_e": "not run",
    }
    directory = MadeUpRun(tests=tests, properties={"run_id": "1a2b"}, seconds=2.5).write(tmp_path)

    report = read_report(directory / "junit.xml")

    assert report.accounts == Accounts(passed=1, failed=2, skipped=1, not_run=1)
    assert report.accounts.collected == 5
    assert report.properties == {"run_id": "1a2b"}
    assert (report.began, report.seconds) == (NOON, 2.5)
    failed = report.cases["tests.test_it", "test_b"]
    assert (failed.verdict, failed.reason) == ("product", "test_b failed product")


def test_report_of_pytest_itself(tmp_path: Path) -> None:
    """Two elements of one test are one test, and what could not be collected is no test."""
    report = read_report(written(tmp_path, OF_PYTEST))

    assert report.accounts == Accounts(passed=1, failed=1)
    assert report.broken == ["test_broken"]
    assert report.began == datetime(2026, 11, 21, 17, 0, 0, 500_000, tzinfo=UTC)


def test_suite_alone_is_a_report_too(tmp_path: Path) -> None:
    """Older tools write no element around the suite; a time without its zone is UTC."""
    text = '<testsuite tests="1" timestamp="2026-03-01T12:00:00"><testcase name="a"/></testsuite>'

    report = read_report(written(tmp_path, text))

    assert report.accounts == Accounts(passed=1)
    assert report.began == NOON


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (BOMB, "is refused: it declares a document type (testsuites), from which entities could expand"),
        (OUTSIDE, "is refused: it declares a document type"),
        ("<a>" * 17, "is refused: it has more than 16 elements within each other"),
        (OF_PYTEST[:500], "is no whole XML document: "),
        ("", "is no whole XML document: no element found"),
        (b"\xff\xfe\x00", "is no whole XML document: "),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "klingon"),
        ("<html><body/></html>", "is no JUnit report (got 'html')"),
        ("<testsuites/>", "has no test suite"),
        ('<testsuite time="soon"/>', "time: not a number of seconds (got 'soon')"),
        ('<testsuite time="nan"/>', "time: not a number of seconds (got 'nan')"),
        ('<testsuite time="-1"/>', "time: not a number of seconds (got '-1')"),
        ('<testsuite timestamp="noon"/>', "timestamp: not a time (got 'noon')"),
    ],
)
def test_what_is_no_report_is_refused_by_name(tmp_path: Path, text: str | bytes, complaint: str) -> None:
    """What is cut off, hostile or something else is named, with what was expected, and is no traceback."""
    file = written(tmp_path, text)

    with pytest.raises(UsageError) as refused:
        read_report(file)

    assert str(refused.value).startswith(str(file))
    assert complaint in str(refused.value)
    assert str(refused.value).endswith("expected a report that pytest --junitxml wrote")


def test_reports_are_not_read_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is larger than any report is refused, without being read whole."""
    monkeypatch.setattr(junit, "LARGEST", 100)
    file = written(tmp_path, OF_PYTEST)

    with pytest.raises(UsageError, match="it has more than 100 bytes"):
        read_report(file)


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A report that is not there is named."""
    with pytest.raises(UsageError, match=r"junit\.xml: cannot be read: No such file"):
        read_report(tmp_path / "junit.xml")


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("7 collected = 1 passed + 2 failed + 3 skipped + 1 not run", True),
        ("7 collected = 1 passed + 2 failed + 3 skipped + 1 not run, 4 retried", True),
        ("7 collected = 2 passed + 1 failed + 3 skipped + 1 not run", False),
        ("7 collected = 1 passed + 2 failed + 3 skipped + 1 not runaway", False),
        ("all good", False),
    ],
)
def test_accounts_are_read_as_sessions_write_them(line: str, *, same: bool) -> None:
    """What a session says behind the sum changes nothing of it."""
    accounts = Accounts(passed=1, failed=2, skipped=3, not_run=1)

    assert same_accounts(line, accounts) is same
    assert same_accounts(str(accounts), accounts)
