"""Putting together what hands out the tests, with workers or without, and what has a say in it.

The scheduler of xdist and the loop of the one process are told of boards that come, go or are not fit, of
tests that are to be run once more, and of the end of the session's time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.health_setup import look_after_boards
from harness.pytest_plugin.max_runtime import MaxRuntime
from harness.pytest_plugin.pace import time_the_tests
from harness.pytest_plugin.retry import Retries
from harness.pytest_plugin.runner import RUNNER_KEY
from harness.pytest_plugin.watching import watch_in_this_process, watch_with_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from harness.inventory.leases import Leases
    from harness.pytest_plugin.max_runtime import Endable
    from harness.pytest_plugin.state import ActiveSession


def begin_course_with_workers(
    config: pytest.Config, session: ActiveSession, leases: Leases, *, watched: bool
) -> Callable[[str], Sequence[str]]:
    """Let the workers of xdist run the tests.

    :param leases: the leases of the boards.
    :param watched: whether boards may come and go.
    :return: what tells the ids of the boards that a running test uses.
    """
    from harness.pytest_plugin.distribution import Distribution
    from harness.pytest_plugin.internal_errors import InternalErrorsOfWorkers
    from harness.pytest_plugin.xdist_session import XdistSession

    xdist = XdistSession(config)
    distribution = Distribution(config, session, xdist=xdist, watched=watched)
    config.pluginmanager.register(distribution, "harness-distribution")
    config.pluginmanager.register(InternalErrorsOfWorkers(config, session), "harness-internal-errors")
    scheduler = distribution.scheduler
    time_the_tests(config, session, lambda: scheduler.work)
    desk = look_after_boards(config, session, scheduler, count=xdist.count)
    scheduler.give_up = desk.give_up_tests
    if session.settings.rig_retries:
        retries = Retries(session.settings.rig_retries, scheduler, stop=xdist.stop)
        scheduler.once_more = retries.end
        config.pluginmanager.register(retries, "harness-retries")
    _limit_runtime(config, session, scheduler, xdist.post)
    if watched:
        watch_with_workers(config, session, leases, scheduler, xdist)
    return scheduler.boards_of_running


def begin_course_in_this_process(
    config: pytest.Config, session: ActiveSession, leases: Leases, *, watched: bool
) -> None:
    """Let this process run the tests; its runner is there.

    :param leases: the leases of the boards.
    :param watched: whether boards may come and go.
    """
    from harness.pytest_plugin.one_process import OneProcess

    runner = config.stash[RUNNER_KEY]
    deadline = 0.0 if config.option.usepdb else session.settings.test_deadline
    loop = OneProcess(config, runner, deadline=deadline)
    config.pluginmanager.register(loop, "harness-loop")
    time_the_tests(config, session)
    desk = look_after_boards(config, session, loop)
    loop.give_up = desk.give_up_tests
    if session.settings.rig_retries:
        retries = Retries(session.settings.rig_retries, loop)
        loop.once_more = retries.end
        config.pluginmanager.register(retries, "harness-retries")
    _limit_runtime(config, session, loop, loop.post)
    if watched:
        watch_in_this_process(config, session, leases, runner, loop)


def _limit_runtime(
    config: pytest.Config,
    session: ActiveSession,
    course: Endable,
    post: Callable[[Callable[[], None]], None],
) -> None:
    seconds = session.settings.max_runtime
    if seconds is not None:
        limit = MaxRuntime(config, session, seconds, course=course, post=post)
        config.pluginmanager.register(limit, "harness-max-runtime")
