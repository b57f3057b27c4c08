"""What a session made is undone by whoever comes after it, and never while it lives."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from harness.backends.ledger import FILE_NAME, Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pytest_plugin.conftest import Suite

MEASURED = True

URL = "http://127.0.0.1:9"
OPTIONS = ("--bench", "virtual", "--boards", "toy-a=1")
DIES_HOLDING = """
    import os, signal

    def test_it(toycloud):
        for thing in {things}:
            toycloud.make(thing)
        os.kill(os.getpid(), signal.SIGKILL)
    """


@pytest.fixture
def state(suite: Suite) -> Path:
    """Where the ledger of the suite's sessions is."""
    return suite.directory / "state"


@pytest.fixture
def ledger(state: Path) -> Iterator[Ledger]:
    """The ledger, seen from outside."""
    state.mkdir(mode=0o700, exist_ok=True)
    with Ledger(state) as ledger:
        yield ledger


def die(suite: Suite, *things: str, backend: str = f"toycloud={URL}") -> None:
    """Have a session make things and die."""
    suite.write("test_it.py", DIES_HOLDING.format(things=things))
    result = suite.run(*OPTIONS, "--backend", backend)
    assert result.code == -signal.SIGKILL, result
    suite.write("test_it.py", "def test_nothing(): ...")


def test_undone_by_the_next_session(suite: Suite, state: Path, ledger: Ledger) -> None:
    """The next session at the same service undoes it, newest first, and says so; nothing stays."""
    die(suite, "first", "second")
    assert [entry.subject for entry in ledger.entries()] == ["first", "second"]

    result = suite.run(*OPTIONS, "--backend", f"toycloud={URL}/")

    assert result.code == 0, result
    assert [line for line in suite.log if line.startswith("undo_entry")] == [
        "undo_entry second of main by controller",
        "undo_entry first of main by controller",
    ]
    assert len(result.lines_with("dead sessions had left 2 things in services: 2 undone")) == 2
    assert ledger.entries() == []
    assert list((state / "sessions").iterdir()) == []


def test_what_cannot_be_undone_is_named_and_stays(suite: Suite, ledger: Ledger) -> None:
    """It is told with the reason and left to the next; a service that is silent is asked once."""
    die(suite, "free", "silent", "stuck")

    result = suite.run(*OPTIONS, "--backend", f"toycloud={URL}")

    assert result.code == 0, result
    assert [entry.subject for entry in ledger.entries()] == ["free", "silent", "stuck"]
    assert result.lines_with("dead sessions had left 3 things in services: 0 undone")
    assert result.lines_with("NOT undone: thing stuck in toycloud at http://127.0.0.1:9, of session")
    assert result.lines_with("the thing is stuck")
    assert len(result.lines_with("the service is silent")) == 2 * 2
    assert suite.log.count("undo_entry free of main by controller") == 0


def test_client_that_cannot_be_made(suite: Suite, ledger: Ledger) -> None:
    """Without a key, or whatever a client needs, nothing is undone, and the reason is told."""
    die(suite, "thing")
    suite.environment["TOY_CONNECT_FAILS"] = "1"

    result = suite.run(*OPTIONS, "--backend", f"toycloud={URL}")

    assert result.code == 0, result
    assert result.lines_with("TOY_KEY: no key for the toys")
    assert len(ledger.entries()) == 1


def test_other_services_are_not_touched(suite: Suite, ledger: Ledger) -> None:
    """What is in a service that this session does not use stays, and is told of."""
    die(suite, "thing")

    result = suite.run(*OPTIONS, "--backend", "toycloud=http://127.0.0.1:10", "--backend", "toymail=http://h")

    assert result.lines_with("harness: dead sessions left 1 thing elsewhere: harness sweep")
    assert len(ledger.entries()) == 1
    assert [line for line in suite.log if line.startswith("undo_entry")] == []


def test_what_went_with_its_session_is_struck_out(suite: Suite, ledger: Ledger) -> None:
    """A fake that the dead session had started took everything with it."""
    die(suite, "thing", backend="toycloud=fake")
    assert [entry.mode for entry in ledger.entries()] == ["fake"]

    result = suite.run(*OPTIONS)

    assert result.code == 0, result
    assert ledger.entries() == []
    assert result.lines_with("dead sessions") == []


def test_replacement_undoes_what_a_dead_worker_left(suite: Suite, ledger: Ledger) -> None:
    """The worker in a dead one's place puts service and board right before its first test."""
    suite.write(
        "test_it.py",
        """
        import os, signal
        import pytest

        @pytest.mark.parametrize("number", range(3))
        def test_it(board, toycloud, number):
            assert board.driver.get() == ""
            board.driver.change(f"dirty{number}")
            toycloud.make(f"thing{number}")
            if number == 1:
                os.kill(os.getpid(), signal.SIGKILL)
        """,
    )

    result = suite.run(*OPTIONS, "--backend", f"toycloud={URL}", "-n", "auto")

    assert result.outcomes == {"test_it[0]": "passed", "test_it[1]": "failed", "test_it[2]": "passed"}, result
    assert "undo_entry thing1 of gw0 by gw0" in suite.log
    assert "recover toy-a-0 dirty1 {'value': ''}" in suite.log
    assert ledger.entries() == []
    assert result.lines_with("left behind") == []


def test_board_that_cannot_be_put_back(suite: Suite, ledger: Ledger) -> None:
    """No test runs on a board that a dead worker left in disorder; the session says what it leaves."""
    suite.environment["TOY_RECOVER_FAILS"] = "1"
    suite.write(
        "test_it.py",
        """
        import os, signal

        def test_first(board, toycloud):
            board.driver.change("dirty")
            toycloud.make("stuck")
            os.kill(os.getpid(), signal.SIGKILL)

        def test_second(board):
            raise AssertionError("not to be reached")
        """,
    )

    result = suite.run(*OPTIONS, "--backend", f"toycloud={URL}", "-n", "auto")

    assert result.outcomes == {"test_first": "failed", "test_second": "error"}, result
    assert result.lines_with("board toy-a-0 is not as it should be: board-state toy-a-0, of session")
    assert result.lines_with("harness: left behind: 1 thing; to undo it: harness sweep")
    assert [entry.subject for entry in ledger.entries()] == ["stuck"], "the bench took the board with it"


def test_kept_on_purpose(suite: Suite, ledger: Ledger) -> None:
    """What ``--keep`` leaves is in the ledger as kept: told of, and undone by no session by itself."""
    suite.write(
        "test_it.py",
        """
        def test_it(board, toycloud):
            board.driver.change("dirty")
            toycloud.make("evidence")
            assert False
        """,
    )
    result = suite.run(*OPTIONS, "--backend", f"toycloud={URL}", "--keep")
    assert result.lines_with("harness: left behind: 1 thing, 1 of them on purpose; to undo it: harness sweep")
    suite.write("test_it.py", "def test_nothing(): ...")

    result = suite.run(*OPTIONS, "--backend", f"toycloud={URL}")

    assert result.lines_with("dead sessions left 1 thing elsewhere: harness sweep")
    (entry,) = ledger.entries()
    assert (entry.subject, entry.details["kept"]) == ("evidence", "yes")
    assert [line for line in suite.log if line.startswith("undo_entry")] == []


@pytest.mark.parametrize("arguments", [("--collect-only",), ("--plan",)], ids=" ".join)
def test_session_that_runs_nothing_has_no_accounts(
    suite: Suite, state: Path, arguments: tuple[str, ...]
) -> None:
    """Nothing is made for a plan, and nothing undone."""
    suite.write("test_it.py", "def test_it(board, toycloud): ...")

    result = suite.run(*OPTIONS, "--backend", "toycloud=fake", *arguments)

    assert result.code == 0, result
    assert not state.exists()


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["one-process", "workers"])
def test_damaged_ledger(suite: Suite, state: Path, workers: tuple[str, ...]) -> None:
    """A session does not begin on a damaged ledger: one line names the file, which stays as it is."""
    state.mkdir(mode=0o700)
    (state / FILE_NAME).write_bytes(b"damaged" * 100)
    suite.write("test_it.py", "def test_it(): ...")

    result = suite.run(*OPTIONS, *workers)

    assert result.code == 4, result
    assert f"{state / FILE_NAME}: the ledger is damaged" in result.err
    assert "Traceback" not in result.out + result.err
    assert (state / FILE_NAME).read_bytes() == b"damaged" * 100
    assert suite.left_behind == []
