"""Running tests on boards in one process: what `board` gives and how a session begins and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pytest_plugin.conftest import Suite


def test_a_board_with_its_driver_and_console(suite: Suite) -> None:
    """A test gets a board whose driver and console work; it is put back and given back; nothing is left."""
    suite.write(
        "test_it.py",
        """
        import os

        def test_value(board):
            board.driver.set("7")
            assert board.driver.get() == "7"
            assert board.description.properties["colour"] == "red"

        def test_it_was_put_back(board):
            assert board.driver.get() == ""
            assert len(board.console.slice(0)) > 10, "the console stays open from test to test"
        """,
    )

    result = suite.run("--bench", "virtual", "--boards", "toy-a=1")

    assert result.code == 0, result
    assert result.outcomes == {"test_value": "passed", "test_it_was_put_back": "passed"}
    assert suite.log == [
        "leased toy-a-0",
        "restore toy-a-0 7",
        "restore toy-a-0 ",
        "released toy-a-0",
    ]
    assert suite.left_behind == []
    assert result.lines_with("harness: virtual bench, 1 board (1 toy-a), backends: none")
    assert len(result.lines_with("THE BOARDS ARE VIRTUAL")) == 2, "in the header and in the summary"


def test_each_test_hears_what_its_board_says_to_it(suite: Suite) -> None:
    """What a board said to an earlier test, and nobody waited for, is no answer to the next one."""
    suite.write(
        "test_it.py",
        """
        import pytest
        from harness.errors import ConsoleTimeout

        def say(board, *words):
            board.console.write(b"".join(b"SAY " + word + b"\\n" for word in words))
            board.console.wait_unsolicited(words[-1].decode(), timeout=5)

        def test_first(board):
            say(board, b"ready", b"stop")

        def test_second(board):
            with pytest.raises(ConsoleTimeout):
                board.console.wait_unsolicited("ready", timeout=0)
            say(board, b"ready")
            assert b"stop" in board.console.slice(0), "the capture goes on"
        """,
    )

    result = suite.run("--bench", "virtual", "--boards", "toy-a=1")

    assert result.outcomes == {"test_first": "passed", "test_second": "passed"}, result


def test_faults_end_with_the_test_that_ordered_them(suite: Suite) -> None:
    """A test that fails while its board is dark and its line silent leaves both as they were."""
    suite.write(
        "test_it.py",
        """
        def test_dark(board):
            board.driver.set("7")
            board.virtual.shape(silent=True)
            board.virtual.set_power(on=False)
            assert board.virtual.state().powered

        def test_light(board):
            assert board.virtual.state().powered
            assert board.driver.get() == ""
        """,
    )

    result = suite.run("--bench", "virtual", "--boards", "toy-a=1")

    assert result.outcomes == {"test_dark": "failed", "test_light": "passed"}, result
