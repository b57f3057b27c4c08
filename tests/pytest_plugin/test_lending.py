"""Boards that workers lend each other: closed by one before the other opens them, and put back."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import BoardFault, RigFault
from harness.inventory.device_nodes import nodes_of
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness.pytest_plugin.absence import Absences
from harness.virtual.launcher import RunningBench, start_bench
from tests.pytest_plugin.lending_workers import TEST, Workers, change_and_die, held, use, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS, THEIRS = "toy-a-0", "toy-a-1"


@pytest.fixture(scope="module")
def bench() -> Iterator[RunningBench]:
    """Two toys."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="hl") as directory:
        patch.setenv("HARNESS_PLUGINS", "tests.pytest_plugin.toy.vendor")
        patch.setenv("TOY_LOG", f"{directory}/log")
        with start_bench(Path(directory) / "b", [("toy-a", None, {}), ("toy-a", None, {})]) as running:
            yield running


@pytest.fixture
def workers(tmp_path: Path, bench: RunningBench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """A session."""
    monkeypatch.setenv("HARNESS_PLUGINS", "tests.pytest_plugin.toy.vendor")
    monkeypatch.setenv("TOY_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "captures").mkdir()
    (tmp_path / "state").mkdir(mode=0o700)
    workers = Workers(tmp_path, bench, load_plugins())
    for board in workers.boards:
        leased = LeasedBoard(board, workers.plugins, capture_directory=None)
        leased.driver.set("")
        leased.close()
    with workers.resources:
        yield workers


def test_a_board_that_is_lent(workers: Workers) -> None:
    """Its owner closes it, who borrows it puts it back and closes it, and its owner goes on with it."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    use(owner, THEIRS, "x")
    assert held(owner, THEIRS).open_consoles

    owner.lay_down()
    assert not held(owner, THEIRS).open_consoles
    assert borrower.get(THEIRS) is None
    borrower.borrow([OURS, THEIRS], TEST)
    assert workers.log == [f"restore {THEIRS} x"]
    assert use(borrower, THEIRS, "y") == {"console": 0}
    leased = held(borrower, THEIRS)
    assert leased.open_consoles, "reports still show what it said"
    borrower.give_back()

    assert not leased.open_consoles
    assert borrower.get(THEIRS) is None
    assert workers.log == [f"restore {THEIRS} y"]
    assert value_of(owner, THEIRS) == ""
    assert workers.log == [f"restore {THEIRS} "], "there was nothing to recover"
    assert workers.ledger.entries() == []


def test_what_a_board_said_before_is_not_in_the_next_report(workers: Workers) -> None:
    """A console that is opened anew goes on where its capture ended, in either process."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    use(owner, THEIRS, "x")

    for _ in range(2):
        owner.lay_down()
        borrower.borrow([THEIRS], TEST)
        marks = use(borrower, THEIRS, "y")
        said = held(borrower, THEIRS).console.slice(marks["console"])
        assert said.count(b"= y") == 2, "set, and asked before it was set back"
        borrower.give_back()
        marks = use(owner, THEIRS, "z")
        assert b"y" not in held(owner, THEIRS).console.slice(marks["console"])


def test_who_borrowed_it_died(workers: Workers) -> None:
    """The owner finds in the ledger what was changed, and puts it back before the next test."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    owner.lay_down()
    borrower.borrow([OURS, THEIRS], TEST)
    change_and_die(borrower, THEIRS, "left")

    assert value_of(owner, THEIRS) == ""

    assert workers.log == [f"recover {THEIRS} left {{'value': ''}}", f"restore {THEIRS} "]
    assert workers.ledger.entries() == []
    assert value_of(owner, THEIRS) == ""
    assert workers.log == [f"restore {THEIRS} "], "once is enough"


def test_the_next_who_borrows_it_puts_it_back_too(workers: Workers) -> None:
    """It may be borrowed anew before its owner used it: whoever is first puts it back."""
    owner, borrower, another = (
        workers.begin("gw1", THEIRS),
        workers.begin("gw0", OURS),
        workers.begin("gw2", "none"),
    )
    owner.lay_down()
    borrower.borrow([THEIRS], TEST)
    change_and_die(borrower, THEIRS, "left")

    another.borrow([THEIRS], TEST)
    assert value_of(another, THEIRS) == ""
    another.give_back()
    assert value_of(owner, THEIRS) == ""

    recovered, *restored = workers.log
    assert recovered.startswith(f"recover {THEIRS} left ")
    assert restored == [f"restore {THEIRS} ", f"restore {THEIRS} "]


def test_who_borrowed_it_could_not_put_it_back(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner tries once more before it uses the board; as long as that fails the board is not used."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    owner.lay_down()
    borrower.borrow([THEIRS], TEST)
    monkeypatch.setenv("TOY_RESTORE_FAILS", "1")
    with pytest.raises(BoardFault):
        use(borrower, THEIRS, "stuck")
    borrower.give_back()
    monkeypatch.delenv("TOY_RESTORE_FAILS")

    monkeypatch.setenv("TOY_RECOVER_FAILS", "1")
    with pytest.raises(RigFault, match=f"board {THEIRS} is not as it should be: .*the toy stays as it is"):
        value_of(owner, THEIRS)
    owner.lay_down()
    borrower.borrow([THEIRS], TEST)
    with pytest.raises(RigFault, match=f"board {THEIRS} is not as it should be"):
        value_of(borrower, THEIRS)
    borrower.give_back()
    monkeypatch.delenv("TOY_RECOVER_FAILS")

    assert value_of(owner, THEIRS) == ""
    assert workers.ledger.entries() == []


def test_a_board_on_which_a_test_of_others_failed_is_doubted(workers: Workers) -> None:
    """The owner hears once which test failed on its board, or that a worker died with it."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    ours, theirs = held(borrower, OURS), held(owner, THEIRS)
    owner.lay_down()
    assert owner.doubt(theirs) is None

    borrower.borrow([OURS, THEIRS], TEST)
    borrower.note_failure(TEST)
    borrower.give_back()
    assert (owner.doubt(theirs), owner.doubt(theirs)) == (f"after {TEST} failed", None)
    assert borrower.doubt(ours) is None, "what failed in this process is known there"

    borrower.borrow([THEIRS], TEST)
    change_and_die(borrower, THEIRS, "left")
    assert owner.doubt(theirs) == "after a worker died that used it"
    assert value_of(owner, THEIRS) == ""
    assert owner.doubt(theirs) is None


def test_its_owner_could_not_put_it_back(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the owner's own test left is put back by who borrows the board."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    monkeypatch.setenv("TOY_RESTORE_FAILS", "1")
    with pytest.raises(BoardFault):
        use(owner, THEIRS, "stuck")
    monkeypatch.delenv("TOY_RESTORE_FAILS")
    workers.log  # noqa: B018 - forget it

    owner.lay_down()
    borrower.borrow([THEIRS], TEST)

    assert value_of(borrower, THEIRS) == ""
    assert workers.log[0] == f"recover {THEIRS} stuck {{'value': ''}}"


def test_the_owner_died_while_its_board_was_lent(workers: Workers) -> None:
    """Its replacement leaves the board alone as long as somebody may use it."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    owner.lay_down()
    borrower.borrow([THEIRS], TEST)

    replacement = workers.begin("gw2", THEIRS, place="gw1", recovers=True)
    replacement.recover()
    assert workers.log == []
    assert not held(replacement, THEIRS).open_consoles

    assert use(borrower, THEIRS, "y") == {"console": 0}
    borrower.give_back()
    assert value_of(replacement, THEIRS) == ""


def test_nobody_laid_it_down(workers: Workers) -> None:
    """A board whose worker died without a successor is put back by who borrows it."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    change_and_die(owner, THEIRS, "left")

    borrower.borrow([THEIRS], TEST)
    replacement = workers.begin("gw2", THEIRS, place="gw1", recovers=True)
    replacement.recover()
    assert workers.log == [], "somebody is about to use it"

    assert value_of(borrower, THEIRS) == ""
    assert workers.log[0] == f"recover {THEIRS} left {{'value': ''}}"
    borrower.give_back()
    assert value_of(replacement, THEIRS) == ""


def test_a_board_that_was_away_when_its_worker_was_replaced(workers: Workers) -> None:
    """It is put back by the replacement when it is used first."""
    workers.absences = Absences(workers.directory)
    change_and_die(workers.begin("gw1", THEIRS), THEIRS, "left")
    workers.absences.note(THEIRS, "unplugged")

    replacement = workers.begin("gw2", THEIRS, place="gw1", recovers=True)
    replacement.recover()
    assert workers.log == []
    workers.absences.strike(THEIRS)

    assert value_of(replacement, THEIRS) == ""
    assert workers.log[0] == f"recover {THEIRS} left {{'value': ''}}"


def test_ports_that_somebody_still_has_open(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that ends is waited for; one that keeps a board too long is told of in the test."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    use(owner, THEIRS, "x")
    threading.Timer(0.2, owner.close).start()

    borrower.borrow([THEIRS], TEST)
    assert value_of(borrower, THEIRS) == ""
    borrower.give_back()

    monkeypatch.setattr("harness.pytest_plugin.lending._SECONDS_TO_LET_GO", 0.0)
    use(workers.begin("gw2", THEIRS), THEIRS, "x")
    borrower.borrow([THEIRS], TEST)
    with pytest.raises(RigFault, match="is in use by another program"):
        value_of(borrower, THEIRS)


def test_a_replacement_recovers_its_own_board_at_once(workers: Workers) -> None:
    """Whoever replaces a worker that died with its own board puts it back before any test."""
    change_and_die(workers.begin("gw1", THEIRS), THEIRS, "left")

    replacement = workers.begin("gw2", THEIRS, place="gw1", recovers=True)
    replacement.recover()

    assert workers.log == [f"recover {THEIRS} left {{'value': ''}}"]
    assert not held(replacement, THEIRS).open_consoles, "as long as it takes no part, others may borrow it"
    assert value_of(replacement, THEIRS) == ""


@pytest.mark.parametrize("borrowed", [True, False])
def test_a_board_that_is_kept(workers: Workers, borrowed: bool) -> None:  # noqa: FBT001 - a parameter
    """With ``--keep`` a board stays as the failed test left it, and every process knows."""
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    if borrowed:
        owner.lay_down()
        borrower.borrow([THEIRS], TEST)
        use(borrower, THEIRS, "as it was", keep=True)
        borrower.give_back()
        owner.begin(held(owner, THEIRS))
    else:
        use(owner, THEIRS, "as it was", keep=True)
        owner.lay_down()
        borrower.borrow([THEIRS], TEST)

    assert borrower.kept == owner.kept == {THEIRS: TEST}
    assert workers.log == []
    (entry,) = workers.ledger.entries()
    assert entry.details["kept"] == "yes"


def test_a_borrowed_board_that_went_away(workers: Workers) -> None:
    """It is left as it is and closed; its owner puts it back when it is used again."""
    workers.absences = Absences(workers.directory)
    owner, borrower = workers.begin("gw1", THEIRS), workers.begin("gw0", OURS)
    owner.lay_down()
    borrower.borrow([THEIRS], TEST)
    leased = held(borrower, THEIRS)
    borrower.begin(leased)
    with borrower.lent(leased, TEST, keep=lambda: False):
        leased.driver.change("left")
        workers.absences.note(THEIRS, "unplugged")

    assert borrower.is_away(THEIRS)
    assert not leased.open_consoles
    borrower.give_back()
    workers.absences.strike(THEIRS)

    assert nodes_of(leased.description) == nodes_of(held(owner, THEIRS).description)
    assert value_of(owner, THEIRS) == ""
    assert workers.log[0] == f"recover {THEIRS} left {{'value': ''}}"


def test_what_was_borrowed_last_is_given_back_first(workers: Workers) -> None:
    """A worker that borrows anew holds what it is told to now, and nothing of before."""
    borrower = workers.begin("gw0", "none")
    borrower.borrow([OURS, THEIRS], TEST)
    assert borrower.get(OURS) is not None

    borrower.borrow([THEIRS], TEST)

    assert borrower.get(OURS) is None
    assert borrower.get(THEIRS) is not None
    borrower.give_back()
    borrower.give_back()
    assert borrower.get(THEIRS) is None
