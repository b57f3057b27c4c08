"""What is reported of a test by others than the process that ran it to its end, or later."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.config import Settings
from harness.inventory.board import Board
from harness.pytest_plugin.report_records import UNWRITTEN_ATTRIBUTE, TestFacts
from harness.pytest_plugin.report_session import SessionReports
from harness.pytest_plugin.report_tests import TestReports
from harness.pytest_plugin.state import ActiveSession
from harness.pytest_plugin.tearing_down import tear_down_before
from harness.redaction import Redactor
from tests.pytest_plugin.test_report_records import report

if TYPE_CHECKING:
    from pathlib import Path

TEST = "test_x.py::test_a"


def session_in(directory: Path) -> ActiveSession:
    """Return a session with a board, in which one thing is secret."""
    redactor = Redactor()
    redactor.add("balloon-key", "key")
    board = Board(id="a", kind="k", driver="d")
    plugins = cast("Any", None)
    return ActiveSession(
        settings=Settings(),
        run_id="r",
        worker_id="main",
        directory=directory,
        redactor=redactor,
        plugins=plugins,
        boards=(board,),
    )


@pytest.mark.parametrize("boards", [("a",), ()])
def test_a_worker_that_died_before_it_said_anything(tmp_path: Path, boards: tuple[str, ...]) -> None:
    """The controller knows which boards the test had been given, and what they said last."""
    scheduler = SimpleNamespace(boards_of_lost=lambda _test: boards)
    manager = SimpleNamespace(
        register=lambda *_facts: None, get_plugin=lambda _name: SimpleNamespace(scheduler=scheduler)
    )
    config = SimpleNamespace(
        stash={},
        pluginmanager=manager,
        getoption=lambda _name, default=None: default,
        invocation_params=SimpleNamespace(dir=tmp_path),
    )
    reports = SessionReports(cast("Any", config), session_in(tmp_path), None)
    captures = tmp_path / "captures" / "gw0"
    captures.mkdir(parents=True)
    (captures / "a-console.raw").write_bytes(b"my balloon-key\r\nlast words\r\n")
    crash = report(TEST, "???", "failed", "worker 'gw0' crashed")
    cast("Any", crash).node = SimpleNamespace(gateway=SimpleNamespace(id="gw0"))

    reports.pytest_handlecrashitem(TEST, crash)

    facts = TestFacts.of(crash)
    assert [(board.id, board.bench) for board in facts.boards] == [(board, "hardware") for board in boards]
    assert facts.verdict == "suite"
    assert "to repeat it" not in str(crash.longrepr), "nobody knows how"
    assert ("last words" in str(crash.longrepr)) == bool(boards)
    assert "balloon-key" not in str(crash.longrepr)
    assert ("verdict", "suite") in crash.user_properties
    assert (("board", "a") in crash.user_properties) == bool(boards)
    assert hasattr(crash, UNWRITTEN_ATTRIBUTE)


def test_a_tear_down_that_fails_late(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Its report has a verdict and no secret, and says that Allure's result is still to be written."""
    found: list[TestReports] = []
    manager = SimpleNamespace(hasplugin=lambda _name: False, get_plugin=lambda _name: found[0])
    config: Any = Standin(request.config, {"pluginmanager": manager})
    found.append(TestReports(config, session_in(tmp_path), None))

    def break_down(_following: object) -> None:
        raise ValueError("lost the balloon-key")

    state = SimpleNamespace(teardown_exact=break_down)
    facts = {"config": config, "session": SimpleNamespace(_setupstate=state), "stash": pytest.Stash()}
    item: Any = Standin(request.node, facts)

    late = tear_down_before(None, last=item)

    assert late is not None
    assert (late.when, late.outcome) == ("teardown", "failed")
    assert TestFacts.of(late).verdict == "suite"
    assert hasattr(late, UNWRITTEN_ATTRIBUTE)
    assert "balloon-key" not in late.longreprtext


class Standin:
    """Something in the place of another, but for some facts."""

    def __init__(self, other: object, facts: dict[str, object]) -> None:
        """Stand in for somebody."""
        self._other = other
        vars(self).update(facts)

    def __getattr__(self, name: str) -> object:
        """Ask whom we stand in for."""
        return getattr(self._other, name)
