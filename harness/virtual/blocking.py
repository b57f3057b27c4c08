"""Blocking work of a virtual board, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)


def start_blocking(work: Callable[[], None], board: str) -> None:
    """Run blocking work; its exceptions are written to the bench log.

    :param work: what blocks.
    :param board: id of the board whose work it is.
    """

    def run() -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - the contract of run_blocking: the log is told, the board lives on
            _log.exception("%s: blocking work failed", board)

    # A daemon thread: the end of the bench waits for no peer of a board.
    threading.Thread(target=run, name=f"{board}-work", daemon=True).start()
