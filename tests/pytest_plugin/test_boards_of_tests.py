"""Which test gets which board: needs, skips, ``each=``, the plan, and one worker a board."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.inventory.board import Board
from harness.inventory.leases import Lease
from harness.virtual.launcher import start_bench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.virtual.launcher import RunningBench
    from tests.pytest_plugin.conftest import Result, Suite

MEASURED = True

BOARDS = ("--bench", "virtual", "--boards", "toy-a=2,toy-b=1")

NEEDS = """
    import pytest

    @pytest.mark.board(needs={"fly"})
    def test_flies(board):
        print("RAN", "flies", board.kind)

    @pytest.mark.board(kind="toy-b", driver="toy")
    def test_kind(board):
        print("RAN", "kind", board.kind)

    @pytest.mark.board(driver="wings")
    def test_nobody(board): ...

    @pytest.mark.board(each="board")
    def test_each_board(board):
        print("RAN", "each", board.id)

    @pytest.mark.board(each="kind", needs={"speak"})
    def test_each_kind(board):
        print("RAN", "each kind", board.kind)

    @pytest.mark.board(each="board", driver="wings")
    def test_each_of_none(board): ...

    def test_without(): ...

    @pytest.mark.board(kind="toy-b")
    def test_marked_but_without():
        print("RAN", "marked")
    """

EXPECTED_RUNS = {
    "flies toy-a",
    "kind toy-b",
    "each toy-a-0",
    "each toy-a-1",
    "each toy-b-2",
    "each kind toy-a",
    "each kind toy-b",
    "marked",
}


def runs(result: Result) -> set[str]:
    """Return what the tests said when they ran."""
    return set(re.findall(r"^RAN (.*)$", result.out, re.MULTILINE))


@pytest.mark.parametrize("workers", [(), ("-n", "auto"), ("-n", "5")], ids=["one-process", "auto", "more"])
def test_each_test_gets_a_board_that_fits(suite: Suite, workers: tuple[str, ...]) -> None:
    """However many workers there are, the same tests run, each on a board that fits, and none is left."""
    suite.write("test_it.py", NEEDS)

    result = suite.run(*BOARDS, *workers, measured=workers != ("-n", "5"))

    assert result.code == 0, result
    assert runs(result) == EXPECTED_RUNS
    assert result.lines_with(
        "no board fits: needed a board with driver wings; boards of this session: toy-a-0"
    )
    assert result.lines_with("9 passed, 2 skipped")
    assert suite.left_behind == []


def test_fewer_workers_than_boards(suite: Suite) -> None:
    """Boards without a worker are given back, and the header says so; what only they fit is skipped."""
    suite.write("test_it.py", NEEDS)

    result = suite.run(*BOARDS, "-n", "2")

    assert result.code == 0, result
    assert result.lines_with("harness: more boards than workers, unused: 1 toy-b")
    assert "each toy-b-2" not in runs(result)
    assert result.lines_with("of kind toy-b with driver toy; boards of this session: toy-a-0 is of")


@pytest.mark.parametrize("workers", [(), ("-n", "auto")], ids=["one-process", "workers"])
def test_strict_boards(suite: Suite, workers: tuple[str, ...]) -> None:
    """With ``--strict-boards`` a need that no board meets is a failure, with the same reason."""
    suite.write("test_it.py", NEEDS)

    result = suite.run(*BOARDS, "--strict-boards", *workers)

    assert result.code == 1, result
    failed = {test for test, outcome in result.outcomes.items() if outcome == "failed"}
    assert failed == {"test_nobody", "test_each_of_none"}
    assert result.lines_with("no board fits: needed a board with driver wings")


def test_one_worker_a_board(suite: Suite) -> None:
    """Two tests are never on one board at a time, and each worker keeps to its board."""
    suite.write(
        "test_it.py",
        """
        import os, time
        import pytest

        @pytest.mark.parametrize("number", range(12))
        def test_it(board, number):
            began = time.monotonic()
            board.driver.set(str(number))
            assert board.driver.get() == str(number)
            print("RAN", board.id, os.getpid(), began, time.monotonic())
        """,
    )

    result = suite.run(*BOARDS, "-n", "auto", measured=False)

    assert result.code == 0, result
    by_board: dict[str, list[tuple[float, float]]] = {}
    process: dict[str, set[str]] = {}
    for line in runs(result):
        board, pid, began, ended = line.split()
        by_board.setdefault(board, []).append((float(began), float(ended)))
        process.setdefault(board, set()).add(pid)
    assert sum(map(len, by_board.values())) == 12
    assert all(len(pids) == 1 for pids in process.values())
    for spans in by_board.values():
        spans.sort()
        assert all(first[1] <= second[0] for first, second in pairwise(spans))


@pytest.mark.parametrize("workers", [(), ("-n", "auto"), ("-n", "2")], ids=["one-process", "auto", "two"])
def test_plan(suite: Suite, workers: tuple[str, ...]) -> None:
    """The plan says where each test would run or why not; nothing runs and no service starts."""
    suite.write(
        "test_it.py", NEEDS + "\n    def test_service(toymail): ...\n    def test_cloud(toycloud): ..."
    )

    result = suite.run(
        *BOARDS, "--backend", "toycloud=fake", "--plan", *workers, measured=workers != ("-n", "2")
    )

    assert result.code == 0, result
    plan = dict(re.findall(r"^test_it\.py::(\S+) +(.*)$", result.out, re.MULTILINE))
    assert plan.pop("test_nobody").startswith("SKIPPED: no board fits: needed a board with driver wings")
    assert plan.pop("test_each_of_none").startswith("SKIPPED: no board fits")
    assert plan.pop("test_service").startswith("FAILS: this test uses the backend 'toymail': add --backend")
    assert plan == {
        "test_flies": "toy-a-0, toy-a-1",
        "test_kind": "toy-b-2",
        "test_each_board[toy-a-0]": "toy-a-0",
        "test_each_board[toy-a-1]": "toy-a-1",
        "test_each_board[toy-b-2]": "toy-b-2",
        "test_each_kind[toy-a]": "toy-a-0, toy-a-1",
        "test_each_kind[toy-b]": "toy-b-2",
        "test_without": "needs no board",
        "test_marked_but_without": "needs no board",
        "test_cloud": "needs no board",
    }
    assert runs(result) == set()
    assert suite.left_behind == []


def test_a_plan_of_tests_that_cannot_be_collected(suite: Suite) -> None:
    """A suite with errors has no plan: the errors are shown."""
    suite.write("test_it.py", "import no_such_module")

    result = suite.run(*BOARDS, "--plan")

    assert result.code == 2, result
    assert result.lines_with("No module named 'no_such_module'")


def test_a_board_asked_for_at_run_time(suite: Suite) -> None:
    """``request.getfixturevalue`` gives a board that fits, or says how to be sent to one."""
    suite.write(
        "test_it.py",
        """
        import pytest

        @pytest.mark.board(kind="toy-b")
        def test_there(request):
            assert request.getfixturevalue("board").kind == "toy-b"

        @pytest.mark.board(kind="toy-c")
        def test_not_there(request):
            request.getfixturevalue("board")
        """,
    )

    result = suite.run(*BOARDS)

    assert result.outcomes == {"test_there": "passed", "test_not_there": "failed"}
    assert result.lines_with("name 'board' among the test's arguments, so that it is sent where a board fits")


def test_a_collection_that_differs_between_workers(suite: Suite) -> None:
    """Workers that collect different tests end the session with the difference; it does not hang."""
    suite.write(
        "test_it.py",
        """
        import os
        import pytest

        @pytest.mark.parametrize("worker", [os.environ["PYTEST_XDIST_WORKER"]])
        def test_it(board, worker): ...
        """,
    )

    result = suite.run(*BOARDS, "-n", "2")

    assert result.code == 1, result
    assert "Different tests were collected between gw" in result.out


def test_conftest_hooks(suite: Suite) -> None:
    """A conftest may bring drivers and take notices, and an initial one boards, in every process."""
    suite.write(
        "conftest.py",
        """
        from tests.pytest_plugin.toy.vendor import note

        class Louder:
            def get(self): return "LOUD"

        def harness_make_driver(board):
            return Louder()

        def harness_board_leased(board):
            note(f"conftest: {board.id}")
        """,
    )
    suite.write("test_it.py", "def test_it(board): assert board.driver.get() == 'LOUD'")

    result = suite.run("--bench", "virtual", "--boards", "toy-a=1", "-n", "auto")

    assert result.code == 0, result
    assert "conftest: toy-a-0" in suite.log


def test_ini_keys(suite: Suite) -> None:
    """What stands in the ini file need not stand on the command line, which wins."""
    suite.write(
        "pytest.ini",
        """
        [pytest]
        harness_bench = virtual
        harness_boards = toy-b=2
        harness_board =
            toy-b-1
        harness_backend =
            toycloud=fake
        harness_strict_boards = true
        harness_test_deadline = 2
        """,
    )
    suite.write(
        "test_it.py",
        """
        import threading, pytest
        def test_it(board, toycloud): assert (board.id, toycloud.greet()) == ("toy-b-1", "hello")
        @pytest.mark.board(kind="x")
        def test_strict(board): ...
        def test_slow(): threading.Event().wait(30)
        """,
    )

    result = suite.run()

    assert result.code == 1, result.err
    assert result.outcomes == {"test_it": "passed", "test_strict": "failed", "test_slow": "failed"}
    assert result.lines_with("the test did not end within 2 s; it was interrupted in its call")
    assert suite.run("--boards", "toy-a=1", "--board", "toy-a-0", "-k", "strict").outcomes


def test_live_console(suite: Suite) -> None:
    """With ``-s`` what a board says appears as it speaks, with its name, redacted; in workers too."""
    suite.write(
        "test_it.py",
        """
        def test_it(board):
            board.console.write(b"SAY hello teddy-bears-name\\n")
            board.console.expect(b"name\\r\\n", timeout=5)
        """,
    )

    for workers in ((), ("-n", "auto")):
        result = suite.run("--bench", "virtual", "--boards", "toy-a=1", "-s", *workers)

        assert result.code == 0, result
        assert "[toy-a-0] hello [redacted: toy secret]" in result.err.splitlines()


def test_raw_consoles_are_kept_when_asked_for(suite: Suite) -> None:
    """With ``--keep-raw-console`` the captures are kept, and the summary says where and that they are raw."""
    suite.write("test_it.py", "def test_it(board): board.driver.get()")

    result = suite.run("--bench", "virtual", "--boards", "toy-a=1", "--keep-raw-console")

    (line,) = result.lines_with("harness: console captures, NOT redacted: ")
    (capture,) = Path(line.rpartition(": ")[2]).rglob("*.raw")
    assert capture.read_bytes().endswith(b"= \r\n")
    assert suite.left_behind == []


@pytest.fixture
def bench(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningBench]:
    """A bench that runs beside the sessions."""
    for name in ("HARNESS_PLUGINS", "PYTHONPATH", "TOY_LOG"):
        monkeypatch.setenv(name, suite.environment[name])
    with start_bench(suite.runtime / "bench", [("toy-a", None, {}), ("toy-b", None, {})]) as running:
        yield running


def test_attaching_to_a_bench(suite: Suite, bench: RunningBench) -> None:
    """A session uses a bench that runs, takes the boards that are free, and leaves the bench as it was."""
    suite.write("test_it.py", "def test_it(board): print('RAN', board.id)")
    board = Board(id="toy-a-0", kind="toy-a", driver="toy", bench=str(bench.socket))
    ours = Lease(board, "ours", deadline=0)
    where = ("--bench", f"virtual={bench.socket}")

    assert runs(suite.run(*where, "--boards", "1")) == {"toy-b-1"}

    busy = suite.run(*where, "--lease-deadline", "0.1")
    assert busy.code == 1
    assert "board toy-a-0 is leased by session ours of" in busy.err
    assert f"pid {os.getpid()} on " in busy.err

    ours.release()
    assert suite.run(*where).code == 0
    assert not bench.wait(0)
    assert suite.left_behind == []


@pytest.mark.parametrize("workers", [(), ("-n", "auto")], ids=["one-process", "workers"])
def test_tests_share_no_process_with_what_they_test(suite: Suite, workers: tuple[str, ...]) -> None:
    """Tests, controller of workers, bench and fake are different processes; bytes cross a tty and TCP."""
    suite.write(
        "test_it.py",
        """
        import os, socket, stat, struct
        from pathlib import Path
        from urllib.parse import urlsplit

        def peer(path):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(path)
                answer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            return struct.unpack("3i", answer)[0]

        def test_it(board, toycloud):
            backend = toycloud._backend
            bench = peer(board.description.bench)
            processes = [os.getpid(), bench, backend.pid]
            if "PYTEST_XDIST_WORKER" in os.environ:
                processes.append(os.getppid())
            assert len(set(processes)) == len(processes)
            assert all(Path(f"/proc/{pid}").is_dir() for pid in processes)
            port = Path(board.description.endpoints["console"].url).resolve()
            assert port.parent == Path("/dev/pts") and stat.S_ISCHR(port.stat().st_mode)
            assert toycloud.greet() == "hello"
            assert urlsplit(backend.url).hostname == "127.0.0.1" and peer(backend.control) == backend.pid
        """,
    )

    result = suite.run("--bench", "virtual", "--boards", "toy-a=1", "--backend", "toycloud=fake", *workers)

    assert result.code == 0, result
