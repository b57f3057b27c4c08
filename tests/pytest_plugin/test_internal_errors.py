"""Internal errors of workers: they are told in full, cost one test at most, and never let a session pass."""

from __future__ import annotations

import json
import textwrap
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pytest_plugin.conftest import Suite

# What its sessions run is run nowhere else: errors of plugins in the processes of workers.
MEASURED = True

TESTS = """
    import pytest

    @pytest.mark.parametrize("number", range(6))
    def test_it(board, number):
        pass
    """
TWO_BOARDS = ("--bench", "virtual", "--boards", "toy-a=2", "-n", "auto")


def breaks(suite: Suite, hook: str, error: str) -> None:
    """Write tests, and a plugin whose hook breaks in workers.

    :param hook: its lines; where it breaks it says BREAK.
    :param error: what it raises, an expression.
    """
    suite.write("test_it.py", TESTS)
    plugin = textwrap.dedent(hook).replace("BREAK", f"raise {error}")
    suite.write("conftest.py", f"import os, pytest\nWORKER = 'PYTEST_XDIST_WORKER' in os.environ\n{plugin}")


IN_A_TEST = """
    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(report):
        if WORKER and report.when == "setup" and "[2]" in report.nodeid:
            BREAK
    """


def test_in_a_test(suite: Suite) -> None:
    """That test failed and says why, in every report; a secret is no part of it, and the others are run."""
    breaks(suite, IN_A_TEST, "OSError('no room for teddy-bears-name')")

    result = suite.run(*TWO_BOARDS, "--summary", "summary.html", "--junitxml", "junit.xml")

    assert result.outcomes == {
        f"test_it[{number}]": "failed" if number == 2 else "passed" for number in range(6)
    }, result
    assert result.code == 1, result
    error = "OSError: no room for [redacted: toy secret]"
    assert "6 collected = 5 passed + 1 failed + 0 skipped + 0 not run" in result.out
    assert result.lines_with("in pytest_runtest_logreport"), "the traceback says where it was"
    assert result.lines_with(f"ended with an internal error: {error}"), "it is told at once"
    assert "teddy-bears-name" not in result.out + result.err
    for report in ("junit.xml", "summary.html", "summary.json"):
        text = (suite.directory / report).read_text()
        assert error in text, report
        assert "in pytest_runtest_logreport" in text or report == "summary.json", report
        assert "teddy-bears-name" not in text, report
    assert error in result.out
    assert suite.left_behind == []


def test_that_has_no_encoding(suite: Suite) -> None:
    """Half of a character is in it, which xdist cannot send: it is told all the same."""
    breaks(suite, IN_A_TEST, r"OSError('the half \udc80')")

    result = suite.run(*TWO_BOARDS)

    assert result.code == 1, result
    assert result.lines_with(r"OSError: the half \udc80")
    assert "6 collected = 5 passed + 1 failed + 0 skipped + 0 not run" in result.out


def test_behind_the_last_test(suite: Suite) -> None:
    """No test shows it: it has a place of its own, and nobody is started anew for nothing."""
    breaks(
        suite,
        """
        @pytest.hookimpl(wrapper=True)
        def pytest_runtestloop():
            result = yield
            if WORKER:
                BREAK
            return result
        """,
        "OSError('at the end')",
    )

    result = suite.run("--bench", "virtual", "--boards", "toy-a=1", "-n", "auto", "--summary", "summary.html")

    assert result.code == 1, result
    assert "6 collected = 6 passed + 0 failed + 0 skipped + 0 not run" in result.out
    assert result.lines_with("internal error of worker gw0")
    assert result.lines_with("OSError: at the end")
    assert "replacing" not in result.out
    (line,) = json.loads((suite.directory / "summary.json").read_text())["story"]
    assert line.endswith("worker gw0 ended with an internal error: OSError: at the end")


def test_too_many(suite: Suite) -> None:
    """As many as workers may crash; then the session ends, and says why the rest was not run."""
    breaks(suite, IN_A_TEST.replace(' and "[2]" in report.nodeid', ""), "OSError('each time')")

    result = suite.run("--bench", "virtual", "--boards", "toy-a=1", "-n", "auto", "--max-worker-restart=1")

    assert result.code == 1, result
    assert "6 collected = 0 passed + 2 failed + 0 skipped + 4 not run" in result.out
    assert result.lines_with("maximum crashed workers reached: 1")
    assert len(result.lines_with("ended with an internal error: OSError: each time")) == 4, (
        "each in the story"
    )


def test_before_any_test(suite: Suite) -> None:
    """What breaks every worker in the same way ends the session at once, and is told."""
    hook = "def pytest_collection_modifyitems():\n    if WORKER:\n        BREAK\n"
    breaks(suite, hook, "OSError('nothing works')")

    result = suite.run(*TWO_BOARDS)

    assert result.code == pytest.ExitCode.INTERNAL_ERROR, result
    assert result.lines_with("OSError: nothing works")
    assert "replacing" not in result.out
    assert suite.left_behind == []


def test_a_failure_that_has_no_encoding(suite: Suite) -> None:
    """What a test makes of bytes may have halves of characters in it: a failure, and no internal error."""
    suite.write(
        "test_it.py",
        r"""
        import logging, warnings

        def test_it(board, record_property):
            record_property("said", "half \udc81")
            logging.error("half \udc82")
            raise ValueError("half \udc80")
        """,
    )

    result = suite.run(*TWO_BOARDS, "--junitxml", "junit.xml", "--summary", "summary.html")

    assert result.code == 1, result
    assert "1 collected = 0 passed + 1 failed + 0 skipped + 0 not run" in result.out
    assert result.lines_with(r"E       ValueError: half \udc80")
    assert result.lines_with(r"half \udc82")
    assert "internal error" not in result.out.lower()
    assert r"half \udc81" in (suite.directory / "junit.xml").read_text()


def test_a_property_that_cannot_be_sent(suite: Suite) -> None:
    """Any value may be recorded: what a worker cannot send is its text, as JUnit's file shows it anyway."""
    suite.write(
        "test_it.py",
        """
        import enum, pathlib

        class Colour(enum.StrEnum):
            RED = "red"

        class Thing:
            def __str__(self):
                return "thing of teddy-bears-name"

        def test_it(board, record_property):
            record_property("colour", Colour.RED)
            record_property("place", pathlib.PurePosixPath("a/b"))
            record_property("things", [{Colour.RED: (Thing(), 3)}])
            record_property("thing", Thing())
            record_property("plain", [1, 2.5, None, b"x", {"a"}])
        """,
    )

    result = suite.run(*TWO_BOARDS, "--junitxml", "junit.xml")

    assert result.code == 0, result
    properties = {
        each.get("name"): each.get("value")
        for each in ET.parse(suite.directory / "junit.xml").iter("property")  # noqa: S314 - our pytest wrote it
    }
    assert properties["colour"] == "red"
    assert properties["place"] == "a/b"
    assert properties["things"] == "[{'red': ('thing of [redacted: toy secret]', 3)}]"
    assert properties["thing"] == "thing of [redacted: toy secret]"
    assert properties["plain"] == "[1, 2.5, None, b'x', {'a'}]"
