"""The loop over the tests of a worker, in the place of xdist's.

It runs a test as soon as it is told to, so that the controller decides on the next one when the last one is
over, and not before. As long as nobody knows the next test, the fixtures of class, module and session stay;
those that the next one does not use are taken down before it begins, or at the end.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import pytest

from harness.pytest_plugin.deadline import Deadline
from harness.pytest_plugin.state import SESSION_KEY
from harness.pytest_plugin.tearing_down import is_anything_up, somebody_like, tear_down_before
from harness.pytest_plugin.xdist_session import XdistWorker, shown_as_running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.pytest_plugin.turns import Turns

HEALTH = "harness-health"


class Fitness(Protocol):
    """What judges the boards of a process that runs tests: its plugin of the name :data:`HEALTH`."""

    def fitness(self, item: pytest.Item) -> str | None:
        """Say why a test cannot be run on the boards that it would get now; ``None`` when it can."""


class Lender(Protocol):
    """What the loop asks of whoever lends the tests their boards."""

    def stand_by(self) -> None:
        """Close the boards of this process: another one uses them next."""

    def assign(self, item: pytest.Item, boards: Sequence[str]) -> None:
        """Say which boards a test takes that takes several."""


class WorkerLoop:
    """Runs the tests of a worker, one at a time and each with the controller's leave."""

    def __init__(self, config: pytest.Config, lender: Lender, turns: Turns, worker: str) -> None:
        """Run nothing yet.

        :param config: the worker's.
        :param lender: lends the tests their boards.
        :param turns: where worker and controller say what they are about to do.
        :param worker: id of the worker.
        """
        self._config = config
        self._lender = lender
        self._turns = turns
        self._worker = worker
        self._turn = 0
        self._items: list[pytest.Item] = []
        self._last: int | None = None
        self._xdist = XdistWorker(config)

    # Before xdist's own, which waits for a second test before it runs the first.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests as they come, until none follows."""
        self._items = session.items
        self._xdist.listen()
        while (index := self._xdist.next()) is not None:
            self._take(index)
            if session.shouldfail or session.shouldstop:
                break
        self._tear_down_before(None)
        return True

    def _take(self, index: int) -> None:
        """Do what this turn is for; nothing, if the test was given to somebody else."""
        turn, self._turn = self._turn, self._turn + 1
        began = time.perf_counter()
        if self._turns.claim(self._worker, turn):
            self._begin(index, turn)
        self._xdist.complete(index, time.perf_counter() - began)

    def _begin(self, index: int, turn: int) -> None:
        item = self._items[index]
        assignment = self._turns.told(self._worker, turn)
        # Of several boards each one is judged by its own worker, also by one that stands by.
        reason = self._unfitness(item)
        if reason is not None:
            clean = self._config.stash[SESSION_KEY].redactor.redact
            self._turns.decline(self._worker, turn, clean(reason))
        elif assignment is not None and assignment.stands_by:
            self._lender.stand_by()
        else:
            if assignment is not None:
                self._lender.assign(item, assignment.boards)
            self._run(index, item)

    def _unfitness(self, item: pytest.Item) -> str | None:
        health: Fitness | None = self._config.pluginmanager.get_plugin(HEALTH)
        return None if health is None else health.fitness(item)

    def _run(self, index: int, item: pytest.Item) -> None:
        self._tear_down_before(item)
        known = self._xdist.known()
        following: pytest.Item | None = somebody_like(item)
        if known:
            following = None if known[0] is None else self._items[known[0]]
        with self._xdist.reporting_on(index), shown_as_running(item.nodeid):
            self._last = index
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    def _tear_down_before(self, following: pytest.Item | None) -> None:
        if self._last is None:
            return
        last = self._items[self._last]
        if not is_anything_up(following, last=last):
            return
        watch = Deadline(self._config.stash[SESSION_KEY].settings.test_deadline).over("tear-down")
        with self._turns.taking_down(self._worker, self._last):
            report = tear_down_before(following, last=last, watch=watch)
        if report is not None:
            with self._xdist.reporting_on(self._last):
                last.ihook.pytest_runtest_logreport(report=report)
