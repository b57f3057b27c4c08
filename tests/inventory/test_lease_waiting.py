"""Several boards for one session: as soon as enough are free, all or none, and who is waited for."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from harness.errors import LeaseBusy, RigFault
from harness.inventory import lease_waiting, leases
from harness.inventory.board import Board
from harness.inventory.lease_records import Holder
from harness.inventory.lease_waiting import Wait, describe_busy
from harness.inventory.leases import CHOOSING_NAME, Lease, Leases, holder, lease_file
from harness.inventory.locks import FreedLocks, open_lock_file, try_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SECONDS = 20.0


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the host's own leases out of the tests."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    return tmp_path / "leases"


def board(board_id: str) -> Board:
    """Describe a board."""
    return Board(id=board_id, kind="k", driver="d")


SIX = [board(f"b{number}") for number in range(6)]


def any_of(number: int) -> Callable[[Sequence[Board]], Sequence[Board] | None]:
    """Choose the first so many."""
    return lambda free: free[:number] if len(free) >= number else None


def test_no_more_is_taken_than_is_needed() -> None:
    """A session that chooses at the same time finds the rest free."""
    with Leases("one") as one, Leases("two") as two:
        one.take_some(SIX, any_of(4), deadline=0)
        two.take_some(SIX, any_of(2), deadline=0)

        assert [leased.id for leased in one.boards] == ["b0", "b1", "b2", "b3"]
        assert [leased.id for leased in two.boards] == ["b4", "b5"]


def test_who_waits_holds_nothing() -> None:
    """The two boards that are free stay free for somebody to whom two are enough; both are told apart."""
    lines: list[str] = []
    with Leases("one") as one, Leases("two") as two:
        one.take_some(SIX, any_of(4), deadline=0)
        with pytest.raises(LeaseBusy) as busy, Leases("big", tell=lines.append) as big:
            big.take_some(SIX, any_of(4), deadline=0.2)
        two.take_some(SIX, any_of(2), deadline=0)

    assert str(busy.value).startswith("boards b0, b1, b2, b3 are leased by session one of ")
    assert str(busy.value).endswith("; waited 0.2 s")
    (line,) = lines
    assert line.startswith(
        "waiting for boards, 0.2 s at most: boards b0, b1, b2, b3 are leased by session one"
    )


def test_every_holder_is_named() -> None:
    """Of several sessions the message says which board each holds, and in which test."""
    with Leases("one") as one, Leases("two") as two, Leases("late") as late:
        one.take(SIX[:1], deadline=0)
        one.note_test("b0", "suite.py::test_a")
        two.take(SIX[1:3], deadline=0)

        with pytest.raises(
            LeaseBusy,
            match=r"^board b0 \(in suite\.py::test_a\) is leased by session one of .*;"
            r" boards b1, b2 are leased by session two of .*; waited 0 s$",
        ):
            late.take(SIX[:4], deadline=0)
        assert late.boards == ()


@pytest.mark.parametrize("freed", ["b1", "b4"])
def test_the_first_that_becomes_free_will_do(freed: str) -> None:
    """Whichever of the boards that would do is given back first ends the wait."""
    lines: list[str] = []
    other = Leases("other")
    other.take(SIX, deadline=0)
    waiting = threading.Event()

    def tell(line: str) -> None:
        lines.append(line)
        waiting.set()

    def give_back() -> None:
        assert waiting.wait(SECONDS)
        other.release(board(freed))

    helper = threading.Thread(target=give_back)
    helper.start()
    with Leases("s", tell=tell) as mine:
        mine.take_some(SIX, any_of(1), deadline=SECONDS)
        assert [leased.id for leased in mine.boards] == [freed]
    helper.join()
    other.close()

    assert lines[0].startswith(
        "waiting for boards, 20 s at most: boards b0, b1, b2, b3, b4, b5 are leased by"
    )
    assert lines[1].startswith("the boards are free, after ")
    assert len(lines) == 2


def test_what_is_not_enough_is_waited_for_further() -> None:
    """Boards that become free one by one are taken when all that is needed is there."""
    other = Leases("other")
    other.take(SIX, deadline=0)
    waiting = threading.Event()

    def give_back() -> None:
        assert waiting.wait(SECONDS)
        for number in (5, 0, 3):
            other.release(SIX[number])

    helper = threading.Thread(target=give_back)
    helper.start()
    with Leases("s", tell=lambda _line: waiting.set()) as mine:
        mine.take_some(SIX, any_of(3), deadline=SECONDS)
        assert [leased.id for leased in mine.boards] == ["b0", "b3", "b5"]
    helper.join()
    other.close()


def test_boards_that_are_not_enough_at_all() -> None:
    """Nobody is waited for who could not help."""
    with Leases("s") as mine, pytest.raises(RigFault, match="6 boards are not enough, though all of them"):
        mine.take_some(SIX, any_of(7), deadline=SECONDS)


def test_one_session_chooses_at_a_time(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is at it is waited for, with a limit; the message names the file."""
    monkeypatch.setattr(leases, "_CHOOSING_SECONDS", 0.1)
    directory.mkdir()
    stuck = open_lock_file(directory / CHOOSING_NAME)
    assert try_lock(stuck)

    with Leases("s") as mine, pytest.raises(RigFault, match=r"kept .*/\.choosing\.lock locked for 0.1 s"):
        mine.take(SIX[:1], deadline=0)
    os.close(stuck)


def test_a_directory_that_breaks(directory: Path) -> None:
    """One message, whichever of its files cannot be used."""
    directory.mkdir()
    (directory / CHOOSING_NAME).symlink_to("elsewhere")

    with (
        Leases("s") as mine,
        pytest.raises(RigFault, match=r"no board can be leased: .*choosing\.lock: Too many"),
    ):
        mine.take(SIX[:1], deadline=0)


def test_locks_that_cannot_be_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The boards are named, and nothing stays taken."""

    def fail(_freed: object, _seconds: float) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(FreedLocks, "wait", fail)
    busy = Lease(SIX[0], "other", deadline=0)

    with (
        Leases("s") as mine,
        pytest.raises(RigFault, match=r"of b0, b1 cannot be waited for: .*No locks"),
    ):
        mine.take(SIX[:2], deadline=SECONDS)
    busy.release()
    assert holder(SIX[1]) is None


def test_notes_are_for_boards_that_are_held() -> None:
    """A note about another board, or a second time, is no matter."""
    with Leases("s") as mine:
        mine.take(SIX[:1], deadline=0)
        mine.note_test("b1", "x")
        mine.note_test("b0", "t")
        mine.note_test("b0", "t")
        found = holder(SIX[0])
        assert found is not None
        assert found.test == "t"
        mine.note_test("b0", None)
        found = holder(SIX[0])
        assert found is not None
        assert found.test is None
        assert holder(SIX[1]) is None


def test_a_note_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is the lease: what others may read of it is no reason to fail a test."""
    with Leases("s") as mine:
        mine.take(SIX[:1], deadline=0)

        def fail(*_arguments: object) -> int:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "pwrite", fail)
        mine.note_test("b0", "t")
        monkeypatch.undo()


# -- what the user is told ---------------------------------------------------------------------------------


def test_progress_is_told_ever_more_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    """At first, when somebody else turns up, and after 10, 20, 40, 60, 60... seconds."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    lines: list[str] = []
    wait = Wait(600, lines.append)
    for second in range(300):
        now[0] = 100.0 + second
        wait.tell({"b0": None})
    assert [line.split(":")[0] for line in lines] == [
        "waiting for boards, 600 s at most",
        "waiting for boards, 10 of 600 s",
        "waiting for boards, 30 of 600 s",
        "waiting for boards, 70 of 600 s",
        "waiting for boards, 130 of 600 s",
        "waiting for boards, 190 of 600 s",
        "waiting for boards, 250 of 600 s",
    ]
    assert lease_waiting.MOST_SILENCE_SECONDS == 60

    wait.tell({"b0": None, "b1": None})
    wait.tell({"b0": None})
    wait.tell_end()
    assert lines[7:] == [
        "waiting for boards, 299 of 600 s: boards b0, b1 are leased by somebody who let go just now",
        "the boards are free, after 299.0 s",
    ]


def test_nothing_is_said_when_nobody_waits() -> None:
    """A session that finds its boards free says nothing of it."""
    lines: list[str] = []
    with Leases("s", tell=lines.append) as mine:
        mine.take(SIX, deadline=SECONDS)
    assert lines == []


def test_boards_are_told_by_holder() -> None:
    """A holder is said once; a test is said with its board."""
    alice = Holder(user="alice", pid=1, host="lab", session="s1", since="t")
    found = describe_busy({"b2": alice, "b1": alice, "b3": None})

    assert found == (
        "boards b1, b2 are leased by session s1 of alice (pid 1 on lab, since t);"
        " board b3 is leased by somebody who let go just now"
    )


# -- other processes ---------------------------------------------------------------------------------------

WAITER = """
import signal, sys
from harness.inventory.board import Board
from harness.inventory.leases import Leases
boards = [Board(id=name, kind="k", driver="d") for name in sys.argv[1:]]
signal.signal(signal.SIGINT, signal.default_int_handler)
with Leases("waiter", tell=lambda line: print(line, flush=True)) as leases:
    leases.take(boards, deadline=60)
"""

HOLDING = "    print('held', flush=True); sys.stdin.read()"

# Takes some of four boards again and again. A directory that only one can make proves that nobody else has
# the board; the sessions' sizes differ, so that some wait for more than others.
RIVAL = """
import os, sys
from pathlib import Path
from harness.inventory.board import Board
from harness.inventory.leases import Leases
place, number, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
boards = [Board(id=f"r{n}", kind="k", driver="d") for n in range(4)]
for turn in range(rounds):
    with Leases(f"session {number}") as leases:
        leases.take_some(boards, lambda free: free[:number] if len(free) >= number else None, deadline=60)
        for board in leases.boards:
            (place / board.id).mkdir()
        for board in leases.boards:
            (place / board.id).rmdir()
print("done")
"""


def test_ctrl_c_ends_waiting_at_once() -> None:
    """The wait is over, nothing is held, and the process ends by the interrupt and nothing else."""
    lease = Lease(SIX[1], "ours", deadline=0)
    with subprocess.Popen(
        [sys.executable, "-c", WAITER, "b0", "b1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("waiting for boards, 60 s at most: board b1 is leased by")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS)

    assert process.returncode == -signal.SIGINT
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert holder(SIX[0]) is None
    lease.release()
    assert holder(SIX[1]) is None


def test_the_death_of_a_holder_ends_the_wait() -> None:
    """Nobody tells that a session was killed; whoever waits for it notices all the same."""
    with subprocess.Popen(
        [sys.executable, "-c", WAITER + HOLDING, "b0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with Leases("s", tell=lambda _line: process.kill()) as mine:
            mine.take(SIX[:2], deadline=SECONDS)
            assert len(mine.boards) == 2


def test_many_sessions_at_once(tmp_path: Path) -> None:
    """Sessions of different sizes take turns: no board is in two of them, and none of them starves."""
    rounds = 25
    place = tmp_path / "marks"
    place.mkdir()
    rivals = [
        subprocess.Popen(
            [sys.executable, "-c", RIVAL, str(place), str(number), str(rounds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in (1, 2, 3, 4)
    ]
    for rival in rivals:
        out, err = rival.communicate(timeout=90)
        assert (rival.returncode, out) == (0, "done\n"), err
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("alone", [True, False])
def test_a_swept_lease_binds_nobody(alone: bool) -> None:  # noqa: FBT001 - a parameter
    """Who waits for a lease of a bench that ended gets the one that its successor goes by."""
    old = Lease(SIX[0], "old", deadline=0)
    file = lease_file(SIX[0])
    before = set(threading.enumerate())
    taken: list[Lease | Leases] = []

    def wait() -> None:
        if alone:
            taken.append(Lease(SIX[0], "s", deadline=SECONDS))
            return
        mine = Leases("s", tell=lambda _line: told.set())
        mine.take(SIX[:1], deadline=SECONDS)
        taken.append(mine)

    told = threading.Event()
    helper = threading.Thread(target=wait)
    helper.start()
    while not {thread.name for thread in set(threading.enumerate()) - before} & {"lock-waiter"}:
        assert helper.is_alive()
    assert alone or told.wait(SECONDS)
    file.unlink()
    old.release()
    helper.join(SECONDS)

    found = holder(SIX[0])
    assert found is not None
    assert found.session == "s"
    for each in taken:
        each.release() if isinstance(each, Lease) else each.close()
