"""What the plugin keeps on pytest's objects: the seam between running tests and reporting them.

State lives in stashes only. Every key of an item is set before the item's first fixture is made, and is
still there in each ``pytest_runtest_makereport`` of the item (setup, call and teardown).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.backends.contract import Backend, Exchange
    from harness.backends.ledger import Ledger
    from harness.config import Settings
    from harness.inventory.board import Board
    from harness.inventory.leased_board import LeasedBoard
    from harness.plugins import HarnessPluginManager
    from harness.redaction import Redactor

USB_LAB = "virtual USB lab"
CONTROLLER = "controller"
MAIN_WORKER = "main"


@dataclass(slots=True, kw_only=True)
class ActiveSession:
    """A session that uses a bench, as one of its processes sees it.

    :ivar settings: what the session was told.
    :ivar run_id: id of the whole run, the same in every process.
    :ivar worker_id: ``controller`` under xdist, ``gw0``... in its workers, ``main`` without xdist.
    :ivar directory: the session's private directory (0700), removed at the end.
    :ivar redactor: what must never be written.
    :ivar shared_secrets: by which the controller's workers tell what they register as a secret.
    :ivar plugins: who implements the hooks.
    :ivar boards: every board of the session, in identity order.
    :ivar own_boards: the boards that this process may use; in a worker of xdist one or none.
    :ivar backends: the services in use, by name.
    :ivar ledger: what is made in services and changed on boards; ``None`` when nothing is run.
    :ivar board_of_worker: in the controller of xdist, the board of every worker there was; ``None`` for a
        worker without a board. A worker's console captures are in ``directory/captures/WORKER``.
    :ivar story: in the process that the user started, which boards went away, came back and came late.
    :ivar gone: there, why boards get no more tests, by their ids.
    :ivar unfit: there, those of them that do not answer, and that nothing brought back.
    """

    settings: Settings
    run_id: str
    worker_id: str
    directory: Path
    redactor: Redactor
    plugins: HarnessPluginManager
    boards: tuple[Board, ...] = ()
    own_boards: tuple[Board, ...] = ()
    backends: dict[str, Backend] = field(default_factory=dict)
    ledger: Ledger | None = None
    shared_secrets: str = ""
    board_of_worker: dict[str, str | None] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    gone: dict[str, str] = field(default_factory=dict)
    unfit: set[str] = field(default_factory=set)

    @property
    def hardware(self) -> str:
        """What reports call the bench of boards that no virtual bench controls."""
        return USB_LAB if in_usb_lab() else "hardware"

    @property
    def runs_tests(self) -> bool:
        """Whether tests run in this process."""
        return self.worker_id != CONTROLLER


def in_usb_lab() -> bool:
    """Tell whether this process sees the devices of a virtual USB lab in the place of the host's."""
    return "UMOCKDEV_DIR" in os.environ


SESSION_KEY: pytest.StashKey[ActiveSession] = pytest.StashKey()
"""On ``config``: the session; missing when the plugin is idle."""

BOARDS_KEY: pytest.StashKey[tuple[LeasedBoard, ...]] = pytest.StashKey()
"""On ``item``: the boards that the test uses, in identity order; missing until (and unless) it got any."""


def boards_used(item: pytest.Item) -> tuple[LeasedBoard, ...]:
    """Return the boards that a test uses, in identity order; none of a test that got none."""
    none: tuple[LeasedBoard, ...] = ()
    return item.stash.get(BOARDS_KEY, none)


EXCHANGES_KEY: pytest.StashKey[list[Exchange]] = pytest.StashKey()
"""On ``item``: every HTTP exchange of the test with a backend, in order; there in every active session."""

CONSOLE_MARKS_KEY: pytest.StashKey[dict[str, dict[str, int]]] = pytest.StashKey()
"""On ``item``: by board and role, where each console stood when the test began (:attr:`Console.position`).

One that is opened by the test itself goes on where its capture ended.
"""

FAILED_KEY: pytest.StashKey[bool] = pytest.StashKey()
"""On ``item``: whether setup or call of the test failed; known before its fixtures are torn down."""

NOT_RUN_KEY: pytest.StashKey[Mapping[str, str]] = pytest.StashKey()
"""On ``config`` of the process that the user started, at the end: why tests did not run, by their ids."""

NOT_RUN_REASON_KEY: pytest.StashKey[str] = pytest.StashKey()
"""On ``config`` of the process that the user started: why nothing more was begun, if we ended it."""

KEPT_KEY: pytest.StashKey[bool] = pytest.StashKey()
"""On ``item``: the test failed and ``--keep`` left its board and service as they are."""
