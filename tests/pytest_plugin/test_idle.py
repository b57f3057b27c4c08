"""Installed and not used: tests that need a bench say what to add, all others notice nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pytest_plugin.conftest import Suite

HEAVY = (
    "pydantic",
    "httpx",
    "cryptography",
    "starlette",
    "uvicorn",
    "rich",
    "typer",
    "cbor2",
    "serial",
    "harness.backends.ledger",  # it alone imports sqlite3, which whoever measures coverage does too
)


def test_tests_that_need_a_bench_fail(suite: Suite) -> None:
    """They fail, with one message and the options to add; a test with fixtures of them is no error either."""
    suite.write(
        "test_it.py",
        """
        import pytest

        @pytest.fixture
        def number(board):
            return board.driver.get()

        def test_board(board): ...
        def test_boards(boards): ...
        def test_through_a_fixture(number): ...
        def test_backend(toycloud): ...
        def test_neither(tmp_path): ...
        def test_typo(tmp_pth): ...
        """,
    )

    result = suite.run()

    assert result.outcomes == {
        "test_board": "failed",
        "test_boards": "failed",
        "test_through_a_fixture": "failed",
        "test_backend": "failed",
        "test_neither": "passed",
        "test_typo": "error",
    }
    assert len(result.lines_with("asks for a board and no bench was chosen: add --bench virtual (")) == 3
    assert result.lines_with("uses the backend 'toycloud' and no bench was chosen: add --bench virtual and")
    assert result.lines_with("fixture 'tmp_pth' not found")
    assert "Traceback" not in result.out
    assert "harness:" not in result.out


def test_a_suite_may_have_a_board_of_its_own(suite: Suite) -> None:
    """A fixture of the same name that a suite defines is left alone."""
    suite.write("conftest.py", "import pytest\n@pytest.fixture\ndef board(): return 'chess'")
    suite.write(
        "test_it.py",
        """
        def test_board(board):
            assert board == "chess"

        def test_by_name(request):
            assert request.getfixturevalue("board") == "chess"
        """,
    )

    assert suite.run().outcomes == {"test_board": "passed", "test_by_name": "passed"}


def test_a_board_asked_for_at_run_time(suite: Suite) -> None:
    """``request.getfixturevalue`` gets the same message."""
    suite.write("test_it.py", "def test_it(request): request.getfixturevalue('board')")

    result = suite.run()

    assert result.outcomes == {"test_it": "failed"}
    assert result.lines_with("no bench was chosen: add --bench virtual")


def test_a_broken_plugin_does_not_matter(suite: Suite) -> None:
    """A plugin of the harness that cannot be loaded is no business of a session without a bench."""
    suite.environment["HARNESS_PLUGINS"] = "no_such_module"
    suite.write("test_it.py", "def test_typo(tmp_pth): ...\ndef test_fine(): ...")

    result = suite.run()

    assert result.outcomes == {"test_typo": "error", "test_fine": "passed"}


def test_nothing_heavy_is_imported_and_nothing_started(suite: Suite) -> None:
    """An idle plugin imports none of the libraries that an active one needs, and makes no directory."""
    suite.write(
        "conftest.py",
        "def pytest_sessionfinish():\n import sys, json; json.dump([*sys.modules], open('m', 'w'))",
    )
    suite.write("test_it.py", "def test_it(): ...")
    suite.write("pytest.ini", "[pytest]\nharness_backend =\n  toycloud=fake\n")

    result = suite.run()

    assert result.code == 0, result
    modules = set(json.loads((suite.directory / "m").read_text()))
    assert "harness.pytest_plugin.plugin" in modules
    assert not modules.intersection(HEAVY)
    assert not [name for name in modules if name.startswith("harness_")], "no vendor is loaded"
    assert not (suite.runtime / "s").exists()
