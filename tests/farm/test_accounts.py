"""Every collected test is in one account, the same in terminal, JUnit, Allure and summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.farm.accounted import empty_suite, run, run_and_interrupt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pytest_plugin.conftest import Suite

TWO_WORKERS = ("--boards", "toy-a=2", "-n", "2")
ONE_WORKER = ("--boards", "toy-a=1", "-n", "1")
ONE_PROCESS = ("--boards", "toy-a=2")


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    """An empty suite."""
    with empty_suite(tmp_path) as suite:
        yield suite


ALL_SORTS = """
    import pytest
    from harness.errors import RigFault

    @pytest.fixture
    def breaks_before(board):
        raise RigFault("no power")

    @pytest.fixture
    def breaks_after(board):
        yield
        raise RigFault("the switch is stuck")

    @pytest.fixture
    def skips_after():
        yield
        pytest.skip("enough")

    @pytest.fixture(scope="class")
    def breaks_at_the_end():
        yield
        raise ValueError("too late")

    def test_good(board):
        pass

    def test_bad(board):
        assert board.driver.get() == "what it never was"

    def test_breaks_before(breaks_before):
        pass

    def test_breaks_after(breaks_after):
        pass

    def test_bad_and_breaks_after(breaks_after):
        assert False

    @pytest.mark.skip(reason="not today")
    def test_skipped(board):
        pass

    def test_skips_itself(board):
        pytest.skip("no wings")

    def test_skips_after(board, skips_after):
        pass

    @pytest.mark.xfail(reason="known")
    def test_expected(board):
        assert False

    @pytest.mark.xfail(reason="mended")
    def test_mended(board):
        pass

    @pytest.mark.xfail(reason="mended", strict=True)
    def test_mended_strictly(board):
        pass

    def test_parts(board, subtests):
        for number in range(3):
            with subtests.test(number=number):
                assert number != 1

    @pytest.mark.parametrize("value", ["a::b", "c[d]", "1"])
    def test_value(value):
        pass

    class TestInClass:
        def test_in_class(self, board):
            pass

    @pytest.mark.board(kind="toy-b")
    def test_of_another_kind(board):
        pass

    class TestEnd:
        def test_end_of_class(self, board, breaks_at_the_end):
            pass
"""
SORTS = {
    "test_good": "passed",
    "test_bad": "failed",
    "test_breaks_before": "failed",
    "test_breaks_after": "failed",
    "test_bad_and_breaks_after": "failed",
    "test_skipped": "skipped",
    "test_skips_itself": "skipped",
    "test_skips_after": "skipped",
    "test_expected": "skipped",
    "test_mended": "passed",
    "test_mended_strictly": "failed",
    "test_parts": "failed",
    "test_value[c[d]]": "passed",
    "test_value[1]": "passed",
    "test_in_class": "passed",
    "test_of_another_kind": "skipped",
    "test_end_of_class": "failed",
}


@pytest.mark.parametrize("how", [TWO_WORKERS, ONE_PROCESS], ids=["two workers", "one process"])
def test_tests_of_all_sorts(suite: Suite, how: tuple[str, ...]) -> None:
    """Phases that fail, skips, expected failures, parts, cases, late tear-downs: each is in one account."""
    suite.write("test_it.py", ALL_SORTS)

    session = run(suite, *how, "--deselect", "test_it.py::test_value[a::b]")

    session.check(SORTS)
    assert session.outcomes == SORTS
    verdicts = session.accounts.verdicts
    assert verdicts["test_breaks_before"] == "rig"
    assert verdicts["test_end_of_class"] == "suite"
    assert session.allure_of("test_end_of_class")["statusDetails"]["message"].startswith("suite: ")


FAILURES = """
    import pytest

    @pytest.mark.parametrize("number", range(8))
    def test_it(board, number):
        board.driver.get()
        assert number not in {1, 3}
"""
NAMES = [f"test_it[{number}]" for number in range(8)]


def test_the_end_after_failures_with_workers(suite: Suite) -> None:
    """What ``-x`` and ``--sw`` leave out is not run, and says why."""
    suite.write("test_it.py", FAILURES)

    session = run(suite, *TWO_WORKERS, "-x")
    session.check(NAMES)
    assert session.outcomes["test_it[1]"] == "failed"
    assert session.outcomes["test_it[7]"] == "not run"
    assert session.why_not_run == {"stopping after 1 failures"}

    session = run(suite, *TWO_WORKERS, "--sw")
    session.check(NAMES)
    assert session.outcomes["test_it[7]"] == "not run"
    assert session.why_not_run == {"Test failed, continuing from this test next run."}


def test_the_end_after_failures_in_one_process(suite: Suite) -> None:
    """What ``--maxfail`` leaves out is not run; what ``-k`` and ``--lf`` do was not collected."""
    suite.write("test_it.py", FAILURES)

    session = run(suite, *ONE_PROCESS, "--maxfail=2", "-k", "not 7")
    session.check(NAMES[:-1])
    assert list(session.outcomes.values()).count("failed") == 2
    assert session.why_not_run == {"stopping after 2 failures"}

    session = run(suite, *ONE_PROCESS, "--lf")
    session.check(["test_it[1]", "test_it[3]"])


DEATHS = """
    import os, pytest, signal

    @pytest.fixture
    def dies(board):
        os.kill(os.getpid(), signal.SIGKILL)

    @pytest.mark.board(count=2)
    def test_dies_on_two(boards):
        for board in boards:
            board.console.write(b"SAY last words\\n")
            board.console.expect("last words", timeout=5)
        with pytest.raises(Exception):  # a capture may hold back what came just before a kill
            boards[0].console.expect("nothing", timeout=0.5)
        os.kill(os.getpid(), signal.SIGKILL)

    def test_dies_in_set_up(dies):
        pass

    def test_dies_without_a_board():
        os._exit(3)

    @pytest.fixture(scope="class")
    def dies_at_the_end():
        yield
        os._exit(3)

    class TestEnd:
        def test_dies_with_what_it_shared(self, dies_at_the_end):
            pass

    @pytest.mark.parametrize("number", range(4))
    def test_lives(board, number):
        pass
"""
DEAD = [
    "test_dies_on_two",
    "test_dies_in_set_up",
    "test_dies_without_a_board",
    "test_dies_with_what_it_shared",
]
LIVING = [f"test_lives[{number}]" for number in range(4)]


def test_workers_that_die(suite: Suite) -> None:
    """Each of their tests has failed once, with boards, verdict and console; all others ran."""
    suite.write("test_it.py", DEATHS)

    session = run(suite, *TWO_WORKERS)

    session.check([*DEAD, *LIVING])
    assert session.outcomes == dict.fromkeys(DEAD, "failed") | dict.fromkeys(LIVING, "passed")
    for test in DEAD:
        assert session.labels_of(test, "verdict") == ["suite"]
        assert "crashed" in session.allure_of(test)["statusDetails"]["message"]
    assert session.labels_of("test_dies_on_two", "board") == ["toy-a-0", "toy-a-1"]
    assert session.allure_of("test_dies_on_two")["statusDetails"]["trace"].count("last words") == 2
    (board,) = session.labels_of("test_dies_in_set_up", "board")
    assert board.startswith("toy-a-")
    assert session.labels_of("test_dies_without_a_board", "board") == []


def test_a_worker_that_dies_and_is_not_replaced(suite: Suite) -> None:
    """What xdist then leaves out is not run, and says so."""
    suite.write("test_it.py", DEATHS)

    session = run(suite, *ONE_WORKER, "--max-worker-restart=0", "-k", "set_up or lives")

    session.check(["test_dies_in_set_up", *LIVING])
    assert session.outcomes == {"test_dies_in_set_up": "failed"} | dict.fromkeys(LIVING, "not run")
    assert session.why_not_run == {"worker gw0 crashed and worker restarting disabled"}


SLOW = """
    import pathlib, pytest

    HERE = pathlib.Path(__file__).parent

    def test_before(board):
        board.driver.get()

    def test_interrupted(board):
        board.driver.get()
        with (HERE / "now").open("w") as now:
            now.write("now")
        board.console.expect("nothing", timeout=60)

    @pytest.mark.parametrize("number", range(4))
    def test_after(board, number):
        board.console.expect("nothing", timeout=60)
"""
AFTER = [f"test_after[{number}]" for number in range(4)]


@pytest.mark.parametrize("how", [ONE_WORKER, ONE_PROCESS], ids=["a worker", "one process"])
def test_an_interruption_by_hand(suite: Suite, how: tuple[str, ...]) -> None:
    """The test that was running is not taken for passed by anybody, since its set-up was."""
    suite.write("test_it.py", SLOW)

    session = run_and_interrupt(suite, *how)

    session.check(["test_before", "test_interrupted", *AFTER], code=2)
    assert session.outcomes["test_before"] == "passed"
    assert session.outcomes["test_interrupted"] == "not run"
    assert session.why_not_run == {"interrupted", "interrupted, while it ran"}


TIMES = """
    import pytest, time

    def test_first(board):
        time.sleep(1.2)

    @pytest.mark.parametrize("number", range(4))
    def test_more(board, number):
        time.sleep(0.6)
"""


def test_time_that_is_over(suite: Suite) -> None:
    """What ran ends, and what was not begun is not run."""
    suite.write("test_it.py", TIMES)

    session = run(suite, *ONE_WORKER, "--max-runtime", "1")

    session.check(["test_first", *(f"test_more[{number}]" for number in range(4))])
    assert "failed" not in session.outcomes.values()
    assert session.why_not_run == {"--max-runtime 1 s is over"}


@pytest.mark.parametrize("how", [ONE_WORKER, ONE_PROCESS], ids=["a worker", "one process"])
def test_a_module_that_cannot_be_collected(suite: Suite, how: tuple[str, ...]) -> None:
    """It is an error and no test; pytest without xdist then runs nothing."""
    suite.write("test_broken.py", "raise ValueError")
    suite.write("test_it.py", FAILURES)

    session = run(suite, *how, "-k", "0 or 2")

    session.check(["test_it[0]", "test_it[2]"])
    if how is ONE_PROCESS:
        assert session.why_not_run == {"1 error during collection"}
