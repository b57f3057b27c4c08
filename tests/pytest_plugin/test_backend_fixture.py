"""What the fixture of a backend gives, what it undoes, and what ``--keep`` leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pytest_plugin.conftest import Suite

MEASURED = True

OPTIONS = ("--bench", "virtual", "--boards", "toy-a=1", "--backend", "toycloud=fake")

GREETING = """
    import os

    def test_one(board, toycloud):
        assert toycloud.greet() == "hello"
        board.driver.set("1")
        assert toycloud.worker == "main"

    def test_two(toycloud, board):
        assert toycloud.greet() == "hello"
        board.driver.set("2")
    """


def test_in_order(suite: Suite) -> None:
    """A board is introduced once; a service is cleaned up before the board, however the test names them."""
    suite.write("test_it.py", GREETING)

    result = suite.run(*OPTIONS)

    assert result.code == 0, result
    assert suite.log == [
        "leased toy-a-0",
        "introduce toy-a-0 toycloud",
        "undo",
        "restore toy-a-0 1",
        "undo",
        "restore toy-a-0 2",
        "client closed",
        "released toy-a-0",
    ]
    assert suite.left_behind == []
    assert result.lines_with("backends: toycloud=fake")


def test_exchanges_and_secrets(suite: Suite) -> None:
    """A test's exchanges are kept with it for the report; what the client calls a secret is redacted."""
    suite.write(
        "conftest.py",
        """
        import pytest
        from harness.pytest_plugin.state import BOARDS_KEY, CONSOLE_MARKS_KEY, EXCHANGES_KEY, SESSION_KEY

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            session = item.config.stash[SESSION_KEY]
            print(item.name, call.when, [each.operation for each in item.stash[EXCHANGES_KEY]],
                  item.stash[BOARDS_KEY][0].id, item.stash[CONSOLE_MARKS_KEY]["toy-a-0"]["console"] > 0,
                  session.redactor.redact("balloon-key, teddy-bears-name"))
            return report
        """,
    )
    suite.write("test_it.py", GREETING)

    result = suite.run(*OPTIONS, "-s")

    secrets = "[redacted: key], [redacted: toy secret]"
    assert result.lines_with(f"test_one setup [] toy-a-0 False {secrets}")
    assert result.lines_with(f"test_one call ['Greet'] toy-a-0 False {secrets}")
    assert result.lines_with(f"test_two teardown ['Greet'] toy-a-0 True {secrets}")


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ((), ["undo", "restore toy-a-0 1", "undo", "restore toy-a-0 "]),
        (("--keep",), ["forget"]),
    ],
    ids=["undone", "kept"],
)
def test_after_a_failure(suite: Suite, keep: tuple[str, ...], expected: list[str]) -> None:
    """Everything is undone; with ``--keep`` nothing is, and no other test touches the board."""
    suite.write(
        "test_it.py",
        """
        def test_that_fails(board, toycloud):
            board.driver.set("1")
            assert toycloud.greet() == "goodbye"

        def test_after_it(board, toycloud):
            assert board.driver.get() == ""

        def test_without_a_board(): ...
        """,
    )

    result = suite.run(*OPTIONS, *keep)

    assert result.code == 1, result
    assert [line for line in suite.log if line.split()[0] in {"undo", "forget", "restore"}] == expected
    if keep:
        assert result.lines_with(
            "every board that fits is kept (--keep): toy-a-0 as test_it.py::test_that_fail"
        )
        assert result.outcomes == {"test_that_fails": "failed", "test_without_a_board": "passed"}


def test_a_test_that_passes_is_not_kept(suite: Suite) -> None:
    """``--keep`` is for failures: what passed is undone."""
    suite.write("test_it.py", GREETING)

    assert suite.run(*OPTIONS, "--keep").code == 0
    assert suite.log.count("undo") == 2


def test_a_clean_up_that_fails(suite: Suite) -> None:
    """A board that cannot be put back is an error of that test, with its class."""
    suite.environment["TOY_RESTORE_FAILS"] = "1"
    suite.write("test_it.py", GREETING)

    result = suite.run(*OPTIONS)

    assert result.code == 1
    assert result.lines_with(" harness.errors.BoardFault: the toy stays as it is")
    assert result.lines_with("ERROR test_it.py::test_one - harness.errors.BoardFault")


def test_a_service_at_an_address(suite: Suite) -> None:
    """A URL is used as it is; what may be asserted there is less."""
    suite.write(
        "test_it.py",
        """
        import pytest

        @pytest.mark.backend(needs={"faults"})
        def test_fault(toycloud): ...

        @pytest.mark.backend("toycloud", needs={"hello"})
        def test_hello(toycloud):
            assert toycloud._backend.url == "http://127.0.0.1:9/x"
            assert toycloud._backend.mode == "url"
        """,
    )

    result = suite.run(*OPTIONS[:-1], "toycloud=http://127.0.0.1:9/x/")

    assert result.code == 0, result
    assert result.outcomes == {"test_hello": "passed"}
    assert result.lines_with("backend toycloud (url) cannot be asked for: faults")
    assert result.lines_with("backends: toycloud=http://127.0.0.1:9/x")


def test_a_service_that_was_not_chosen(suite: Suite) -> None:
    """The test fails and says which option to add, asked for by argument, by marker or at run time."""
    suite.write(
        "test_it.py",
        """
        import pytest

        def test_argument(toycloud): ...

        @pytest.mark.backend("toycloud")
        def test_marker(): ...

        def test_at_run_time(request):
            request.getfixturevalue("toycloud")
        """,
    )

    result = suite.run(*OPTIONS[:4])

    assert set(result.outcomes.values()) == {"failed"}
    hint = "uses the backend 'toycloud': add --backend toycloud=fake, toycloud=real or"
    assert len(result.lines_with(hint)) >= 3
