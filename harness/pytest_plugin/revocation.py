"""A worker's part in revoking tests: it passes over those that the controller has given to somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.tearing_down import tear_down_before

if TYPE_CHECKING:
    from harness.pytest_plugin.report_allure import AllureReport
    from harness.pytest_plugin.turns import Turns

_XDISTS_WORKER = "WorkerInteractor"


class Revocation:
    """Begins each test of a worker with the controller's leave."""

    def __init__(self, config: pytest.Config, turns: Turns, worker: str) -> None:
        """Begin with the first turn.

        :param config: the worker's.
        :param turns: where worker and controller say what they are about to do.
        :param worker: id of the worker.
        """
        self._config = config
        self._turns = turns
        self._worker = worker
        self._turn = 0
        self._last: pytest.Item | None = None

    # First of those that may run a test; wrappers around it have begun by then, and find nothing done.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Pass over a test that was revoked: no report, no trace."""
        turn, self._turn = self._turn, self._turn + 1
        if self._turns.claim(self._worker, turn):
            self._last = item
            return None
        allure: AllureReport | None = self._config.pluginmanager.get_plugin("harness-report-allure")
        if allure is not None:
            allure.forget(item)
        if self._last is not None:
            failure = tear_down_before(nextitem, last=self._last)
            if failure is not None:
                self._report(self._last, failure)
        return True

    def _report(self, last: pytest.Item, report: pytest.TestReport) -> None:
        """Report on a test other than the one that xdist believes to be run."""
        running: Any = next(
            plugin
            for plugin in self._config.pluginmanager.get_plugins()
            if type(plugin).__name__ == _XDISTS_WORKER
        )
        index = running.item_index
        running.item_index = last.session.items.index(last)
        try:
            last.ihook.pytest_runtest_logreport(report=report)
        finally:
            running.item_index = index
