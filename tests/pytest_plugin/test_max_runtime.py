"""``--max-runtime``: what runs ends, the rest is not run and says so, and the session has failed."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.pytest_plugin.max_runtime import MaxRuntime
from harness.pytest_plugin.state import NOT_RUN_REASON_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.pytest_plugin.conftest import Suite

SECONDS = 30.0


class Stage:
    """A session whose time runs, and what it was told."""

    def __init__(self, seconds: float) -> None:
        self.posted = threading.Event()
        self.actions: list[Callable[[], None]] = []
        self.ended = 0
        self.story: list[str] = []
        self.shown: list[str] = []
        self.stash = pytest.Stash()
        reporter = SimpleNamespace(
            ensure_newline=lambda: None, write_line=lambda line, **_how: self.shown.append(line)
        )
        plugins = SimpleNamespace(get_plugin=lambda _name: reporter)
        config = SimpleNamespace(stash=self.stash, pluginmanager=plugins)
        self.limit = MaxRuntime(cast("Any", config), cast("Any", self), seconds, course=self, post=self.post)

    def post(self, action: Callable[[], None]) -> None:
        """Be what has something done in the main thread."""
        self.actions.append(action)
        self.posted.set()

    def end(self) -> None:
        """Be what hands out the tests."""
        self.ended += 1


def test_nothing_ends_before_the_first_test_began() -> None:
    """The time of collection and of starting workers does not count."""
    stage = Stage(0.0)
    loop = stage.limit.pytest_runtestloop()
    next(loop)

    assert not stage.posted.wait(0.05)

    stage.limit.pytest_runtest_logstart()
    stage.limit.pytest_runtest_logstart()
    assert stage.posted.wait(SECONDS)
    with pytest.raises(StopIteration):
        loop.send(True)
    assert stage.ended == 0, "only the main thread may end it"
    (action,) = stage.actions
    action()
    assert stage.ended == 1
    assert stage.stash[NOT_RUN_REASON_KEY] == "--max-runtime 0 s is over"
    (line,) = stage.story
    assert line.endswith(" --max-runtime 0 s is over: nothing more is begun")
    assert stage.shown == [f"harness: {line}"]


def test_a_session_that_ends_in_time() -> None:
    """Its timer is gone with its loop, also when that fails."""
    stage = Stage(SECONDS)
    loop = stage.limit.pytest_runtestloop()
    next(loop)
    before = set(threading.enumerate())
    stage.limit.pytest_runtest_logstart()

    with pytest.raises(KeyboardInterrupt):
        loop.throw(KeyboardInterrupt())

    assert set(threading.enumerate()) <= before  # what others left may end meanwhile
    assert not stage.actions


OVER = """
    import threading, pytest

    def test_that_outlasts_the_session(pytestconfig):
        limit = pytestconfig.pluginmanager.get_plugin("harness-max-runtime")
        limit._timer.join()

    def test_that_comes_too_late(board):
        raise AssertionError("it must not begin")
    """


def test_in_one_process(suite: Suite) -> None:
    """The running test ends as it would have, the next one never begins, and the exit status is 1."""
    suite.write("test_it.py", OVER)

    result = suite.run("--bench", "virtual", "--boards", "toy-a=1", "-n", "0", "--max-runtime", "0.2")

    assert result.code == 1, result
    assert "it must not begin" not in result.out
    assert result.outcomes == {"test_that_outlasts_the_session": "passed"}
    assert "2 collected = 1 passed + 0 failed + 0 skipped + 1 not run" in result.out
    assert "--max-runtime 0.2 s is over" in result.out
