"""Putting together what looks after the health of a session's boards, with workers or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.health_notes import HealthNotes
from harness.pytest_plugin.unrun import UnrunReports

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from harness.pytest_plugin.health_desk import Course, HealthDesk
    from harness.pytest_plugin.state import ActiveSession

#: Who judges boards in a process that runs tests, and who takes unfit ones in the controller of workers.
PLUGIN_NAME = "harness-health"


def look_after_boards_of_worker(config: pytest.Config, session: ActiveSession) -> None:
    """Judge the board of a worker before its tests.

    :param config: the worker's; its runner is there.
    :param session: the session as the worker sees it.
    """
    from harness.pytest_plugin.health import BoardHealth
    from harness.pytest_plugin.runner import RUNNER_KEY

    health = BoardHealth(session, config.stash[RUNNER_KEY], HealthNotes(session.directory))
    config.pluginmanager.register(health, PLUGIN_NAME)


def look_after_boards(
    config: pytest.Config,
    session: ActiveSession,
    course: Course,
    *,
    count: Callable[[pytest.TestReport], None] = lambda _report: None,
) -> HealthDesk:
    """Take unfit boards out of the session; without workers judge them, too.

    :param config: of the process that the user started.
    :param session: the session.
    :param course: hands out the tests.
    :param count: takes each report of a test that did not run, for limits that the hooks alone do not reach.
    :return: what reports the tests that no board is left for (:meth:`HealthDesk.give_up_tests`).
    """
    from harness.pytest_plugin.health_desk import HealthDesk

    bench = "virtual" if any(board.virtual for board in session.boards) else session.hardware
    notes = HealthNotes(session.directory)
    reports = UnrunReports(config, hardware=bench, count=count)
    desk = HealthDesk(config, session, course, notes=notes, reports=reports)
    if not session.runs_tests:
        config.pluginmanager.register(desk, PLUGIN_NAME)
        return desk
    from harness.pytest_plugin.health import BoardHealth
    from harness.pytest_plugin.runner import RUNNER_KEY

    health = BoardHealth(session, config.stash[RUNNER_KEY], notes, desk=desk)
    config.pluginmanager.register(desk, f"{PLUGIN_NAME}-desk")
    config.pluginmanager.register(health, PLUGIN_NAME)
    return desk
