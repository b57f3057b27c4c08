"""The lifeline of a session: a FIFO whose write end only the controller holds.

Every worker, bench and fake watches the read end. The kernel closes the write end however the controller
ends, SIGKILL included; the watchers see the end of the file and end at once, without waiting for anybody.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EXIT_ORPHANED = 1


class Lifeline:
    """The controller's end: as long as it is open, the session lives."""

    def __init__(self, path: Path) -> None:
        """Make the FIFO and hold its write end.

        :param path: where to make it.
        """
        self.path = path
        os.mkfifo(path, 0o600)
        # Opened for reading too: opening for writing alone would wait for the first watcher.
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self._writer: int | None = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        finally:
            os.close(reader)

    def close(self) -> None:
        """End the session: whoever still watches ends now."""
        if self._writer is not None:
            os.close(self._writer)
            self._writer = None
            self.path.unlink(missing_ok=True)


def watch_lifeline(path: Path, clean_up: Callable[[], None] = lambda: None) -> None:
    """End this process as soon as the controller is gone.

    Ends by ``os._exit``: no handler, no ``finally`` and no other thread may hold it up.

    :param path: the lifeline.
    :param clean_up: what must not stay behind, done on the watching thread just before the end.
    """

    def watch() -> None:
        try:
            _wait_for_end(path)
            clean_up()
        finally:
            os._exit(EXIT_ORPHANED)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _wait_for_end(path: Path) -> None:
    try:
        # Without O_NONBLOCK opening would wait for a controller that may be dead already.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:  # the session ended before we came to watch
        return
    os.set_blocking(descriptor, True)
    while os.read(descriptor, 1):  # nothing is ever written; the end of the file is the message
        pass
