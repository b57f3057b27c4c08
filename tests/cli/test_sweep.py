"""``harness sweep``: what dead sessions left is shown, asked for and undone; what the living use is not."""

from __future__ import annotations

import getpass
import io
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.ledger import Ledger
from harness.cli.sweep import age
from harness.inventory.leases import Leases
from harness.session_lock import SessionLock
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.inventory.board import Board

URL = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The toys of the pytest plugin's tests, a ledger of the test's own, and no rig file."""
    monkeypatch.setenv("HARNESS_PLUGINS", "tests.pytest_plugin.toy.vendor")
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    monkeypatch.setenv("TOY_LOG", str(tmp_path / "toy.log"))
    monkeypatch.delenv("HARNESS_RIG", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """The ledger."""
    with Ledger() as ledger:
        yield ledger


@pytest.fixture
def bench() -> Iterator[Path]:
    """A bench with one toy; returns its control socket."""
    with (
        tempfile.TemporaryDirectory(prefix="sw-") as directory,
        start_bench(Path(directory) / "b", [("toy-a", None, {})]) as bench,
    ):
        yield bench.socket


@pytest.fixture
def note(ledger: Ledger) -> Callable[..., int]:
    """Note something in the name of a session that is dead, unless it was begun."""

    def note_thing(subject: str, *, session: str = "dead", **changes: Any) -> int:
        row = {"worker": "main", "backend": "toycloud", "mode": "url", "url": URL, "kind": "thing", **changes}
        return ledger.note(session=session, subject=subject, **row).number

    return note_thing


def log() -> list[str]:
    """What the toys were told."""
    file = Path(os.environ["TOY_LOG"])
    return file.read_text().splitlines() if file.exists() else []


def answer(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sit at the terminal and answer."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal(text))


def test_nothing_to_sweep(run: Callable[..., Any]) -> None:
    """An empty ledger is no failure, and nobody is asked."""
    outcome = run("sweep")

    assert (outcome.code, outcome.out) == (0, "Nothing to sweep: no dead session left anything.\n")


def test_table(run: Callable[..., Any], note: Callable[..., int], ledger: Ledger) -> None:
    """Each thing is a line with session, user, age, place, kind, subject and why; no more is done."""
    with SessionLock("known") as lock:
        lock.close(keep=True)
    note("thing-1", session="known", details={"state": "intended"})
    note("thing-2", details={"kept": "yes"})
    note("thing-3", mode="fake")
    note("toy-a-0", backend="", mode="virtual", url="/nowhere", kind="board-state")

    outcome = run("sweep")

    assert outcome.code == 1
    text = "\n".join(" ".join(line.split()) for line in outcome.out.splitlines())
    assert (
        f"known {getpass.getuser()} now toycloud {URL} thing thing-1 its session ended during the call"
        in text
    )
    assert f"dead unknown now toycloud {URL} thing thing-2 kept on purpose (--keep)" in text
    assert f"dead unknown now toycloud {URL} thing thing-3 went with its session" in text
    assert "dead unknown now board /nowhere board-state toy-a-0 its session ended before undoing it" in text
    assert outcome.out.endswith("Nothing was undone: nobody is there to be asked. Add --yes.\n")
    assert len(ledger.entries()) == 4
    assert log() == []


@pytest.mark.parametrize(("said", "undone"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_asking(
    said: str,
    undone: bool,  # noqa: FBT001 - a parameter of the test
    run: Callable[..., Any],
    note: Callable[..., int],
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At a terminal it asks first, and takes anything but yes for no."""
    note("one")
    note("two")
    answer(said, monkeypatch)

    outcome = run("sweep")

    assert outcome.code == (0 if undone else 1)
    assert "Undo these 2? [y/N]" in outcome.out
    assert len(ledger.entries()) == (0 if undone else 2)
    assert ("2 of 2 undone." in outcome.out) == undone


def test_undoing_in_services(run: Callable[..., Any], note: Callable[..., int], ledger: Ledger) -> None:
    """What can be undone is, also what was kept; the rest is named with the reason, and stays."""
    for subject in ("first", "stuck", "kept"):
        note(subject, details={"kept": "yes"} if subject == "kept" else None)
    note("own", mode="fake")
    note("foreign", backend="nobodys")

    outcome = run("sweep", "--yes")

    assert outcome.code == 1
    assert [line for line in log() if line.startswith("undo_entry")] == [
        f"undo_entry {subject} of main by sweep" for subject in ("kept", "stuck", "first")
    ]
    assert [entry.subject for entry in ledger.entries()] == ["stuck", "foreign"]
    lines = outcome.out.splitlines()
    assert f"done  thing first in toycloud at {URL}, of session dead: undone" in lines
    assert f"LEFT  thing stuck in toycloud at {URL}, of session dead: the thing is stuck" in lines
    assert f"done  thing own in toycloud at {URL}, of session dead: went with its session" in lines
    foreign = "no installed plugin knows the service nobodys"
    assert f"LEFT  thing foreign in nobodys at {URL}, of session dead: {foreign}" in lines
    assert lines[-1] == "3 of 5 undone."
    assert "client closed" in log()


def test_client_that_cannot_be_made(
    run: Callable[..., Any], note: Callable[..., int], monkeypatch: pytest.MonkeyPatch, ledger: Ledger
) -> None:
    """A missing key is the reason that is told, for each thing of that service."""
    monkeypatch.setenv("TOY_CONNECT_FAILS", "1")
    note("one")
    note("two")

    outcome = run("sweep", "--yes")

    assert outcome.code == 1
    assert outcome.out.count("TOY_KEY: no key for the toys") == 2
    assert len(ledger.entries()) == 2


def test_the_living_are_listed_apart(
    run: Callable[..., Any], note: Callable[..., int], ledger: Ledger
) -> None:
    """What a living session made is shown with its process and never touched."""
    with SessionLock("living"):
        note("theirs", session="living")
        note("left")

        outcome = run("sweep", "--yes")

        assert outcome.code == 0
        lines = outcome.out.splitlines()
        assert lines[0].startswith("In use by session living of ")
        assert f"(pid {os.getpid()} on " in lines[0]
        assert lines[1] == f"  thing theirs in toycloud at {URL}, of session living"
        assert [entry.subject for entry in ledger.entries()] == ["theirs"]
        assert log()[0] == "undo_entry left of main by sweep"


def test_board_is_put_back(
    run: Callable[..., Any], note: Callable[..., int], bench: Path, ledger: Ledger
) -> None:
    """A board of a bench that runs is leased, put back by its driver, and free again."""
    note(
        "toy-a-0",
        backend="",
        mode="virtual",
        url=str(bench),
        kind="board-state",
        details={"value": "as it was", "kept": "yes"},
    )

    outcome = run("sweep", "--yes")

    assert outcome.code == 0, outcome
    assert "done  board-state toy-a-0, of session dead: put back" in outcome.out
    assert log() == ["recover toy-a-0  {'value': 'as it was'}"]
    assert ledger.entries() == []
    assert run("sweep").out.startswith("Nothing to sweep")


def test_board_that_is_leased(
    run: Callable[..., Any],
    note: Callable[..., int],
    bench: Path,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A board in somebody's hands is left alone, and its holder named."""
    monkeypatch.setattr("harness.sweeping.LEASE_DEADLINE", 0.1)
    note("toy-a-0", backend="", mode="virtual", url=str(bench), kind="board-state")
    with Leases("holder") as leases:
        leases.take([board_of(bench)], deadline=5)

        outcome = run("sweep", "--yes")

    assert outcome.code == 1
    assert "session holder of" in outcome.out
    assert len(ledger.entries()) == 1
    assert log() == []


def board_of(bench: Path) -> Board:
    """Return the bench's board as sessions find it."""
    from harness.config import BenchChoice, Settings
    from harness.plugins import load_plugins

    settings = Settings(bench=BenchChoice(kind="virtual", socket=bench))
    ((board,),) = [
        boards for boards in load_plugins().hook.harness_discover_boards(settings=settings) if boards
    ]
    return board  # type: ignore[no-any-return]  # hooks are untyped


def test_boards_that_are_not_there(
    run: Callable[..., Any],
    note: Callable[..., int],
    bench: Path,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bench that is gone took its boards with it; a board that is only away may come back."""
    monkeypatch.setattr("harness.inventory.serial_ports.list_serial_ports", list)
    note("toy-a-0", backend="", mode="virtual", url=str(bench.with_name("gone")), kind="board-state")
    note("toy-a-1", backend="", mode="virtual", url=str(bench), kind="board-state")
    note("000123", backend="", mode="attached", url="", kind="board-state")
    with BenchClient(bench) as client:
        assert [board.id for board in client.boards()] == ["toy-a-0"]

    outcome = run("sweep", "--yes")

    assert outcome.code == 1
    assert "done  board-state toy-a-0, of session dead: went with its bench" in outcome.out
    assert "LEFT  board-state toy-a-1, of session dead: board toy-a-1 is not here now" in outcome.out
    assert "LEFT  board-state 000123, of session dead: board 000123 is not here now" in outcome.out
    assert [entry.subject for entry in ledger.entries()] == ["toy-a-1", "000123"]


def test_driver_that_cannot_put_back(
    run: Callable[..., Any], note: Callable[..., int], bench: Path, ledger: Ledger
) -> None:
    """What the driver does not know how to undo stays, with that reason."""
    note("toy-a-0", backend="", mode="virtual", url=str(bench), kind="riddle")

    outcome = run("sweep", "--yes")

    assert outcome.code == 1
    assert "the driver of board toy-a-0 cannot put it back" in outcome.out
    assert len(ledger.entries()) == 1


def test_one_bench_only(
    run: Callable[..., Any], note: Callable[..., int], bench: Path, ledger: Ledger
) -> None:
    """With ``--bench`` only the boards of that bench are swept."""
    note("thing")
    note("toy-a-0", backend="", mode="virtual", url=str(bench), kind="board-state", details={"value": ""})
    note("000123", backend="", mode="attached", url="", kind="board-state")

    assert run("sweep", "--yes", "--bench", f"virtual={bench}").code == 0
    assert [entry.subject for entry in ledger.entries()] == ["thing", "000123"]

    assert "1 undone" not in run("sweep", "--bench", "attached").out
    assert [entry.subject for entry in ledger.entries()] == ["thing", "000123"]

    wrong = run("sweep", "--bench", "virtual")
    assert (wrong.code, wrong.err) == (
        4,
        "harness: --bench: no such bench (got 'virtual'); expected attached or virtual=SOCKET\n",
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3.0, "now"),
        (0.4, "now"),
        (1, "1 s"),
        (59.9, "59 s"),
        (3599, "59 min"),
        (7300, "2 h"),
        (200_000, "2 d"),
    ],
)
def test_age(seconds: float, text: str) -> None:
    """An age is said in its largest unit."""
    assert age(seconds) == text
