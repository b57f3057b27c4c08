"""One worker a board: what the controller does for pytest-xdist."""

from __future__ import annotations

import os
import signal
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.handover import WORKERINPUT_KEY, Handover, read_needs
from harness.pytest_plugin.past import expected_seconds
from harness.pytest_plugin.scheduler import BoardScheduling
from harness.pytest_plugin.turns import Turns
from harness.pytest_plugin.xdist_options import number_of_workers

if TYPE_CHECKING:
    from harness.pytest_plugin.state import ActiveSession
    from harness.pytest_plugin.xdist_session import XdistSession


class _Place:
    """What a worker, and after it its replacement, may use."""

    def __init__(self, board: str | None) -> None:
        self.board = board
        self.first_worker: str | None = None


class Distribution:
    """Gives each worker its board, and the tests that fit it."""

    def __init__(
        self,
        config: pytest.Config,
        session: ActiveSession,
        *,
        xdist: XdistSession,
        watched: bool = False,
    ) -> None:
        """Set up one place for each worker; those beyond the boards get tests without a board only.

        :param xdist: starts more workers.
        :param watched: whether boards may come and go.
        """
        self._collected_for = session.boards
        self._watched = watched
        self._xdist = xdist
        self._config = config
        self._session = session
        workers = number_of_workers(config)
        boards: list[str | None] = [board.id for board in session.boards]
        boards += [None] * (workers - len(boards))
        self._free = deque(_Place(board) for board in boards)
        self._places: dict[str, _Place] = {}
        self._nodes: list[Any] = []
        self.scheduler = BoardScheduling(
            config,
            session,
            session.board_of_worker,
            workers=workers,
            turns=Turns(session.directory),
            expected_seconds=lambda: expected_seconds(config, session),
            start_worker=self._start_worker,
            ends_early=lambda: xdist.ends_early,
        )

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_make_scheduler(self) -> BoardScheduling:
        """Schedule by boards."""
        self._xdist.outlive_internal_errors(lambda: self.scheduler.has_begun)
        return self.scheduler

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand a worker its place; a replacement gets that of the worker that crashed."""
        place = self._free.popleft()
        worker: str = node.gateway.id
        self._places[worker] = place
        self._nodes.append(node)
        self._session.board_of_worker[worker] = place.board
        node.workerinput[WORKERINPUT_KEY] = Handover(
            run_id=self._session.run_id,
            directory=self._session.directory,
            boards=self._collected_for,
            own_board=next((board for board in self._session.boards if board.id == place.board), None),
            backends=tuple(self._session.backends.values()),
            secrets=self._session.shared_secrets,
            replaces=place.first_worker,
            watched=self._watched,
        ).to_json()
        place.first_worker = place.first_worker or worker
        self.scheduler.expect(worker)

    def _start_worker(self, board: str) -> bool:
        """Start a worker for a board that came late, or whose worker has ended."""
        if self._xdist.ends_early:
            return False
        place = next((place for place in self._free if place.board == board), None)
        if place is None:
            place = _Place(board)
        else:
            self._free.remove(place)
        self._free.appendleft(place)
        self._xdist.start_worker()
        return True

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker ended: its place is the next to be given."""
        place = self._places.pop(node.gateway.id, None)
        self.scheduler.expect_no_longer(node.gateway.id)
        if place is not None:
            self._free.appendleft(place)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any) -> None:
        """A worker has collected.

        :raises pytest.UsageError: it found a marker or a conftest that is wrong.
        """
        read_needs(self._session.directory, node.gateway.id)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Interrupt the workers too, so that they clean up now and not when xdist loses patience."""
        if excinfo.type is not KeyboardInterrupt:  # xdist's own class: the session stops after failures
            return
        for node in self._nodes:
            if node.gateway.id in self._places:
                with suppress(OSError):  # it has ended meanwhile
                    os.kill(node.gateway._rinfo().pid, signal.SIGINT)
