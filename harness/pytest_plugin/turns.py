"""Who was first, a worker that begins a test or the controller that gives the test to somebody else.

xdist cannot take back the last test that it sent to a worker (it is in the worker's hands as the next one),
and the worker of a lost board must not begin it. So both sides say what they are about to do by making the
same file, which only one of them can.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "turns"


class Turns:
    """The turns of all workers of a session: one for each test that a worker was sent."""

    def __init__(self, directory: Path) -> None:
        """Begin, or join in.

        :param directory: the session's.
        """
        self._directory = directory / _NAME
        self._directory.mkdir(mode=0o700, exist_ok=True)

    def claim(self, worker: str, turn: int) -> bool:
        """Say that a test is begun, or revoked, and tell whether the other side had not said its word.

        :param worker: id of the worker.
        :param turn: how many tests were sent to it before.
        """
        try:
            descriptor = os.open(
                self._directory / f"{worker}-{turn}",
                os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC,
                0o600,
            )
        except FileExistsError:
            return False
        os.close(descriptor)
        return True
