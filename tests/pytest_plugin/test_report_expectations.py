"""What a session has to prove at the least, and options of reporting that are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pytest_plugin.conftest import Suite


PAIR = """
    import pytest

    @pytest.mark.proves("do", "done")
    def test_it(board):
        pass

    @pytest.mark.skipif(True, reason="not today")
    def test_other(board):
        pass
"""


def test_less_than_expected_fails_the_session(suite: Suite) -> None:
    """A session that passes is failed when it falls short, and says in what; one that does not is not."""
    suite.write("toys/test_it.py", PAIR)
    suite.write("expected.toml", "[toys]\ntests = 2\npairs = 3\nskipped = 0\n")
    bench = ("--bench", "virtual", "--boards", "toy-a=1")

    result = suite.run(*bench, "--expected", "expected.toml")

    assert result.code == 1, result
    assert result.lines_with("toys: 1 tests passed, 2 expected: 1 missing")
    assert result.lines_with("toys: 1 distinct (operation, outcome) pairs proven, 3 expected: 2 missing")
    assert result.lines_with("toys: 1 tests skipped, at most 0 expected:")
    assert result.lines_with("  toys/test_it.py::test_other: not today")

    suite.write("expected.toml", "[toys]\ntests = 1\npairs = 1\nskipped = 1\n")
    result = suite.run(*bench, "--expected", "expected.toml")

    assert result.code == 0, result
    assert not result.lines_with("expected:")


def test_planning_expects_nothing(suite: Suite) -> None:
    """What is only planned or collected neither falls short nor writes a summary."""
    suite.write("toys/test_it.py", PAIR)
    suite.write("expected.toml", "[toys]\ntests = 9\n")
    options = (
        "--bench",
        "virtual",
        "--boards",
        "toy-a=1",
        "--expected",
        "expected.toml",
        "--summary",
        "s.html",
    )
    for way in ("--plan", "--collect-only"):
        result = suite.run(*options, way)

        assert result.code == 0, result
        assert not result.lines_with("collected = ")
    assert not (suite.directory / "s.html").exists()


def test_wrong_options_of_reporting(suite: Suite) -> None:
    """Wrong expectations end the session at once; a summary that cannot be written fails it."""
    suite.write("toys/test_it.py", PAIR)
    suite.write("expected.toml", "[toys]\ntest = 9\n")
    bench = ("--bench", "virtual", "--boards", "toy-a=1")

    result = suite.run(*bench, "--expected", "expected.toml")

    assert result.code == 4
    assert result.lines_with("toys.test: unknown key; expected tests (the nearest)") or (
        "toys.test: unknown key; expected tests (the nearest)" in result.err
    )
    assert "Traceback" not in result.out + result.err
    assert suite.left_behind == []

    suite.write("file", "")
    result = suite.run(*bench, "--summary", "file/summary.html")

    assert result.code == 1, result
    assert result.lines_with("--summary: cannot be written")
    assert result.lines_with("2 collected = 1 passed + 0 failed + 1 skipped + 0 not run")
