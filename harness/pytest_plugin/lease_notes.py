"""What others can read of our leases: which test each board is in; and what our user reads of theirs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.state import BOARD_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.inventory.leases import Leases
    from harness.pytest_plugin.runner import TestRunner


def tell_on_terminal(line: str) -> None:
    """Say how the waiting for boards goes; pytest has no reporter yet at that time."""
    sys.stderr.write(f"harness: {line}\n")
    sys.stderr.flush()


def board_in_this_process(runner: TestRunner) -> Callable[[str], str | None]:
    """Return what tells the board of the running test where no worker but this process runs tests.

    :param runner: runs them.
    """

    def board_of_test(test: str) -> str | None:
        item = runner.current
        leased = item.stash.get(BOARD_KEY, None) if item is not None and item.nodeid == test else None
        return None if leased is None else leased.id

    return board_of_test


class LeaseNotes:
    """Notes in the leases which test begins and ends on which board."""

    def __init__(
        self,
        leases: Leases,
        board_of_test: Callable[[str], str | None],
        board_of_worker: Mapping[str, str | None],
    ) -> None:
        """Watch the tests of a session.

        :param leases: the session's.
        :param board_of_test: tells the id of the board that a test which is being run uses.
        :param board_of_worker: ids of boards by worker, when there are workers.
        """
        self._leases = leases
        self._board_of_test = board_of_test
        self._board_of_worker = board_of_worker

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins, here or in a worker."""
        self._note(self._board_of_test(nodeid), nodeid)

    # First, so that the test is still known to be running.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A test ended."""
        self._note(self._board_of_test(nodeid), None)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker ended, perhaps in the middle of a test."""
        self._note(self._board_of_worker.get(node.gateway.id), None)

    def _note(self, board_id: str | None, test: str | None) -> None:
        if board_id is not None:
            self._leases.note_test(board_id, test)
