"""What the controller does when it hears of boards, with a course that only writes down."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from harness.config import Settings
from harness.health.quarantine import Quarantines
from harness.inventory.board import Board
from harness.inventory.board_news import Joined, Lost, Refused, Returned
from harness.inventory.leases import Leases, holder
from harness.plugins import HarnessPluginManager
from harness.pytest_plugin.absence import Absences
from harness.pytest_plugin.handover import Requirement
from harness.pytest_plugin.hotplug import Hotplug
from harness.scheduling.needs import BoardNeed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

A, LATE = Board(id="a", kind="k", driver="d"), Board(id="late", kind="k", driver="d")


class Stage:
    """A session of one board; what is posted is done when the stage is told to."""

    waiting = 2

    def __init__(self, directory: Path, settings: Settings | None = None) -> None:
        self.told: list[str] = []
        self.reports: list[tuple[str, ...]] = []
        self.posted: list[Callable[[], None]] = []
        self.lost: list[str] = []
        plugins = HarnessPluginManager()
        plugins.register(SimpleNamespace(harness_board_lost=self._hear_of_loss), "listener")
        settings = settings or Settings(return_deadline=1000)
        self.session = SimpleNamespace(
            settings=settings,
            plugins=plugins,
            run_id="run",
            boards=(A,),
            story=[],
            gone={},
            unfit=set(),
            directory=directory,
        )
        manager = SimpleNamespace(get_plugin=lambda _name: None)
        self.cleanups: list[Callable[[], None]] = []
        config = SimpleNamespace(add_cleanup=self.cleanups.append, pluginmanager=manager)
        self.absences = Absences(directory)
        self.leases = Leases("run")
        self.hotplug = Hotplug(
            cast("Any", config),
            cast("Any", self.session),
            self,
            leases=self.leases,
            absences=self.absences,
            reports=cast("Any", SimpleNamespace(fail=self._report, skip=self._report)),
            post=self.posted.append,
        )

    def _hear_of_loss(self, board: Any) -> None:
        self.lost.append(board.id)

    def _report(self, test: str, reason: str, *more: object) -> None:
        self.reports.append((test, reason, *map(str, more[:1])))

    def hear(self, *news: Any) -> None:
        """Have the watch tell news, and the main thread take them."""
        for each in news:
            self.hotplug._hear(each)
        while self.posted:
            self.posted.pop(0)()

    def running_on(self, board: str) -> str | None:
        return f"test_on_{board}"

    def requirement_of(self, test: str) -> Requirement:
        return Requirement(need=BoardNeed(kind="k") if test else None)

    def lose_board(self, board: str) -> None:
        self.told.append(f"lose {board}")

    def return_board(self, board: Board) -> None:
        self.told.append(f"return {board.id}")

    def add_board(self, board: Board) -> None:
        self.told.append(f"add {board.id}")

    def give_up_board(self, board: str) -> None:
        self.told.append(f"give up {board}")

    def take_homeless(self) -> list[str]:
        return []


def test_a_loss_is_noted_at_once_and_told_in_the_main_thread(tmp_path: Path) -> None:
    """The note is for the test that runs; scheduler, plugins and user hear of it between two tests."""
    stage = Stage(tmp_path)

    stage.hotplug._hear(Lost("a", "its port went away"))

    assert stage.absences.reason("a") == "its port went away"
    assert stage.told == stage.lost == []
    stage.hear()
    assert stage.told == ["lose a"]
    assert stage.lost == ["a"]
    (line,) = stage.session.story
    assert line.endswith(
        "board a went away: its port went away; it was in test_on_a; 2 tests wait up to 1000 s"
    )
    stage.hear(Returned(A))
    assert stage.absences.reason("a") is None
    assert stage.told == ["lose a", "return a"]
    stage.hotplug._cancel_timers()


def test_a_deadline_that_passes_when_the_board_is_back_counts_for_nothing(tmp_path: Path) -> None:
    """Nor does that of an earlier loss for a later one."""
    stage = Stage(tmp_path)
    stage.hear(Lost("a", "gone"))
    first = stage.hotplug._losses["a"]
    stage.hear(Returned(A))

    stage.hotplug._give_up("a", first)
    stage.hear(Lost("a", "gone again"))
    stage.hotplug._give_up("a", first)
    assert "give up a" not in stage.told

    stage.hotplug._give_up("a", stage.hotplug._losses["a"])
    assert stage.told[-1] == "give up a"
    stage.hotplug.give_up_tests(["t"])
    ((test, reason, verdict),) = stage.reports
    assert (test, verdict) == ("t", "rig")
    assert reason.startswith("not run: board a went away at ")
    assert reason.endswith(" and did not come back within 1000 s")
    stage.hotplug._cancel_timers()


def test_a_board_that_is_unfit_is_not_waited_for_and_not_used_again(tmp_path: Path) -> None:
    """It went away when its power was cycled, or somebody pulls it: the reason stays what it was."""
    stage = Stage(tmp_path)
    stage.hear(Lost("a", "its power was cycled"))
    loss = stage.hotplug._losses["a"]
    stage.session.unfit.add("a")
    stage.session.gone["a"] = "board a does not answer"

    stage.hotplug._give_up("a", loss)
    stage.hear(Returned(A), Lost("a", "pulled"))

    assert stage.told == ["lose a", "give up a"]
    assert stage.session.gone == {"a": "board a does not answer"}
    assert "is not used: board a does not answer" in stage.session.story[1]
    assert stage.session.story[2].endswith("board a went away: pulled; it was not used any more")
    assert stage.hotplug._losses == {}


def test_a_late_board_that_is_quarantined_does_not_join(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plugging it in anew mends nothing that anybody knows of."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    Quarantines.of_bench(None).put(LATE, "it smells", now=datetime.now(UTC), lasts=None, by="alice")
    stage = Stage(tmp_path)

    stage.hear(Joined(LATE))

    assert stage.told == []
    assert "late was plugged in and is not used: it is quarantined: it smells" in stage.session.story[0]
    assert holder(LATE) is None


def test_a_late_board_is_leased_and_joins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on it is one of the session's."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    stage = Stage(tmp_path)

    stage.hear(Joined(LATE))

    assert stage.told == ["add late"]
    assert [board.id for board in stage.session.boards] == ["a", "late"]
    held = holder(LATE)
    assert held is not None
    assert held.session == "run"
    stage.leases.close()


def test_late_boards_that_do_not_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that another session holds, one that --board does not name, one that says nothing: all are told."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", str(tmp_path / "leases"))
    others = Leases("others")
    others.take([LATE], deadline=0)
    busy, unnamed = Stage(tmp_path), Stage(tmp_path, Settings(board_ids=("a",)))

    busy.hear(Joined(LATE), Refused(Board(id="x", kind="k", driver="d"), "it did not say who it is"))
    unnamed.hear(Joined(LATE))
    others.close()

    assert busy.told == unnamed.told == []
    assert "board late was plugged in and is not used: board late is leased by session others" in str(
        busy.session.story
    )
    assert busy.session.story[1].endswith("board x was plugged in and is not used: it did not say who it is")
    assert unnamed.session.story[0].endswith("is not used: --board names others")
