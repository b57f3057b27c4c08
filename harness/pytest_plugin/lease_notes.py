"""What others can read of our leases: which test each board is in; and what our user reads of theirs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.state import boards_used

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.inventory.leases import Leases
    from harness.pytest_plugin.runner import TestRunner


def tell_on_terminal(line: str) -> None:
    """Say how the waiting for boards goes; pytest has no reporter yet at that time."""
    sys.stderr.write(f"harness: {line}\n")
    sys.stderr.flush()


def boards_in_this_process(runner: TestRunner) -> Callable[[str], Sequence[str]]:
    """Return what tells the boards of the running test where no worker but this process runs tests.

    :param runner: runs them.
    """

    def boards_of_test(test: str) -> Sequence[str]:
        item = runner.current
        used = boards_used(item) if item is not None and item.nodeid == test else ()
        return [leased.id for leased in used]

    return boards_of_test


class LeaseNotes:
    """Notes in the leases which test begins and ends on which boards."""

    def __init__(
        self,
        leases: Leases,
        boards_of_test: Callable[[str], Sequence[str]],
        board_of_worker: Mapping[str, str | None],
    ) -> None:
        """Watch the tests of a session.

        :param leases: the session's.
        :param boards_of_test: tells the ids of the boards that a test which is being run uses, that of its
            worker first.
        :param board_of_worker: ids of boards by worker, when there are workers.
        """
        self._leases = leases
        self._boards_of_test = boards_of_test
        self._board_of_worker = board_of_worker
        self._noted: dict[str, Sequence[str]] = {}

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins, here or in a worker."""
        self._noted[nodeid] = self._boards_of_test(nodeid)
        self._note(self._noted[nodeid], nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A test ended."""
        self._note(self._noted.pop(nodeid, ()), None)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker ended, perhaps in the middle of a test."""
        board = self._board_of_worker.get(node.gateway.id)
        for test in [test for test, boards in self._noted.items() if board in boards[:1]]:
            self._note(self._noted.pop(test), None)

    def _note(self, boards: Sequence[str], test: str | None) -> None:
        for board_id in boards:
            self._leases.note_test(board_id, test)
