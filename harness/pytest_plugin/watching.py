"""Putting together what watches the boards of a session on hardware, with workers or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.absence import Absences
from harness.pytest_plugin.hotplug import Hotplug
from harness.pytest_plugin.unrun import UnrunReports

if TYPE_CHECKING:
    import pytest

    from harness.inventory.leases import Leases
    from harness.pytest_plugin.one_process import OneProcess
    from harness.pytest_plugin.runner import TestRunner
    from harness.pytest_plugin.scheduler import BoardScheduling
    from harness.pytest_plugin.state import ActiveSession
    from harness.pytest_plugin.xdist_session import XdistSession


def watch_with_workers(
    config: pytest.Config,
    session: ActiveSession,
    leases: Leases,
    scheduler: BoardScheduling,
    xdist: XdistSession,
) -> None:
    """Watch the boards in the controller of xdist.

    :param leases: the leases of the boards.
    :param scheduler: gives the workers their tests.
    :param xdist: starts more workers, and hears of boards between two events of workers.
    """
    reports = UnrunReports(config, hardware=session.hardware, count=xdist.count)
    hotplug = Hotplug(
        config,
        session,
        scheduler,
        leases=leases,
        absences=Absences(session.directory),
        reports=reports,
        post=xdist.post,
    )
    config.pluginmanager.register(hotplug, "harness-hotplug")


def watch_in_this_process(
    config: pytest.Config, session: ActiveSession, leases: Leases, runner: TestRunner, loop: OneProcess
) -> None:
    """Watch the boards in the one process that does everything.

    :param leases: the leases of the boards.
    :param runner: lends the tests their boards.
    :param loop: runs the tests.
    """
    hotplug = Hotplug(
        config,
        session,
        loop,
        leases=leases,
        absences=Absences(session.directory),
        reports=UnrunReports(config, hardware=session.hardware),
        post=loop.post,
        leased=runner.leased,
    )
    config.pluginmanager.register(hotplug, "harness-hotplug")
