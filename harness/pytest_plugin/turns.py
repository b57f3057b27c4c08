"""What controller and worker tell each other about a test that was sent, beyond its number.

Each test that a worker is sent is a turn of that worker. xdist sends the number of the test and cannot take
it back, so for everything else both write small files in the session's directory:

* Who was first, the worker that begins a test or the controller that gives it to somebody else, for example
  since the worker's board went away. Both say what they are about to do by making the same file, which only
  one of them can.
* Which boards a test may use that takes several, and which worker only frees its board for it.
* Why a worker declined a test: its board is not fit.
* That a worker takes down what its last test shared with others: if it dies meanwhile, that test has failed.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from harness.scheduling.work import Assignment

if TYPE_CHECKING:
    from collections.abc import Iterator
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

    def tell(self, worker: str, turn: int, assignment: Assignment) -> None:
        """Say more of a turn than the number of its test; the controller does, before it sends that.

        :param worker: id of the worker.
        :param turn: how many tests were sent to it before.
        :param assignment: the test, and the boards that it takes.
        """
        data = {
            "test": assignment.test,
            "boards": list(assignment.boards),
            "stands_by": assignment.stands_by,
        }
        self._write(f"{worker}-{turn}.told", json.dumps(data))

    def told(self, worker: str, turn: int) -> Assignment | None:
        """Return what was said of a turn; ``None`` when its test takes one board, or none."""
        text = self._read(f"{worker}-{turn}.told")
        if text is None:
            return None
        data = json.loads(text)
        return Assignment(data["test"], boards=tuple(data["boards"]), stands_by=data["stands_by"])

    def decline(self, worker: str, turn: int, reason: str) -> None:
        """Say that a test was not run, since the worker's board is not fit; the worker does.

        :param worker: id of the worker.
        :param turn: how many tests were sent to it before.
        :param reason: what is the matter with the board.
        """
        self._write(f"{worker}-{turn}.declined", reason)

    def declined(self, worker: str, turn: int) -> str | None:
        """Return why a test was not run; ``None`` when it was, or passed over.

        :param worker: id of the worker.
        :param turn: how many tests were sent to it before.
        """
        return self._read(f"{worker}-{turn}.declined")

    @contextmanager
    def taking_down(self, worker: str, test: int) -> Iterator[None]:
        """Say, for as long as that takes, that what a test shared is taken down after it; the worker does.

        :param worker: id of the worker.
        :param test: number of the test.
        """
        name = f"{worker}.taking-down"
        self._write(name, str(test))
        try:
            yield
        finally:
            (self._directory / name).unlink(missing_ok=True)

    def died_taking_down(self, worker: str) -> int | None:
        """Return after which test a worker that ended took down what it shared; ``None`` if it did not.

        :param worker: id of the worker.
        """
        text = self._read(f"{worker}.taking-down")
        return None if text is None else int(text)

    def _write(self, name: str, text: str) -> None:
        descriptor = os.open(
            self._directory / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600
        )
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)

    def _read(self, name: str) -> str | None:
        with suppress(FileNotFoundError):
            return (self._directory / name).read_text(encoding="utf-8")
        return None
