"""Reporting a test that its worker left on purpose before it was over, by ``pytest.exit``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.pytest_plugin.scheduler import BoardScheduling
    from harness.pytest_plugin.sendings import WorkerController


def report_left(scheduler: BoardScheduling, test: str, node: WorkerController, status: int) -> None:
    """Report a test that its worker left before it was over, as xdist reports one that it died in.

    :param scheduler: handed it out.
    :param test: its id.
    :param node: the worker.
    :param status: with which the worker ended.
    """
    file = test.partition("::")[0]
    name = node.gateway.id
    report = pytest.TestReport(
        nodeid=test,
        location=(file, None, file),
        keywords={},
        outcome="failed",
        longrepr=f"worker {name!r} ended with exit status {int(status)} while running {test!r}",
        when="???",  # type: ignore[arg-type]  # as xdist's own: nobody knows
    )
    report.node = node  # type: ignore[attr-defined]  # as xdist's own
    hook = scheduler.config.hook
    hook.pytest_handlecrashitem(crashitem=test, report=report, sched=scheduler)
    hook.pytest_runtest_logreport(report=report)
