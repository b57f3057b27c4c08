"""One run of the client on a thread of its own: what it may do there, how it waits, and how it is ended.

Whatever touches the board happens on the bench's loop thread, where the power goes, too. The client waits in
one place only, where a stop, a lost network or a new setting reaches it at once whatever it waits for.
"""

from __future__ import annotations

import os
import select
import threading
import time
from contextlib import contextmanager, suppress
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from harness.virtual.loop_calls import LoopCalls
from harness_pelion.virtual.client_log import ClientFailure, ErrorName, printable
from harness_pelion.virtual.kcm import KcmRefusal
from harness_pelion.virtual.power import AFTER_EXCHANGE, BEFORE_EXCHANGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.virtual.loop_calls import Loop
    from harness.virtual.power_points import PowerPoints


class KeyStore(Protocol):
    """What the client needs of the key and configuration store. Used on the loop's thread only."""

    def get(self, name: str) -> bytes | None:
        """Return an item, ``None`` when there is none."""

    def commit(self, changes: Mapping[str, bytes | None]) -> None:
        """Write items at once, all or none; ``None`` deletes one.

        :raises KcmRefusal: it cannot; nothing is changed.
        :raises PowerLost: the power went, before the write or after it.
        """


class ClientSettings(Protocol):
    """How the client was built; a test may change it while it runs.

    :ivar lifetime_s: seconds for which the LwM2M server may believe in a registration.
    :ivar register_every_s: seconds between updates of the registration.
    :ivar client_timeout_s: seconds for an answer, and for a connection with its handshake.
    :ivar retry_first_s: seconds before it tries again for the first time; each further wait is twice as long.
    :ivar retry_longest_s: the longest such wait.
    :ivar link_up: whether there is a network at first.
    """

    lifetime_s: float
    register_every_s: float
    client_timeout_s: float
    retry_first_s: float
    retry_longest_s: float
    link_up: bool


class HasFileno(Protocol):
    """Something that can be waited for."""

    def fileno(self) -> int:
        """Return its number."""


class Woken(Enum):
    """Why a wait has ended."""

    READY = "ready"
    TIME_OUT = "time-out"
    NUDGED = "nudged"


class _Signal:
    """Wakes one waiting thread from others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number: int | None = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        assert self._number is not None  # noqa: S101 - only the waiting thread closes it
        return self._number

    def set(self) -> None:
        with self._lock:
            if self._number is not None:
                os.eventfd_write(self._number, 1)

    def clear(self) -> None:
        with suppress(BlockingIOError):  # nobody has set it
            os.eventfd_read(self.fileno())

    def close(self) -> None:
        with self._lock:
            if self._number is not None:
                os.close(self._number)
                self._number = None


class Session:
    """A run of the client.

    :ivar calls: to the loop's thread.
    :ivar settings: may change at any time.
    :ivar link_returns: how often the network has come back.
    """

    def __init__(self, loop: Loop, settings: ClientSettings, points: PowerPoints, *, link_up: bool) -> None:
        """Prepare a run.

        :param loop: where the board lives.
        :param points: at which the power may go.
        :param link_up: whether there is a network.
        """
        self.calls = LoopCalls(loop)
        self.settings = settings
        self._points = points
        self._signal = _Signal()
        self.link_returns = 0
        self._link_up = link_up
        self._leaving = False
        self._update_asked = False
        self._nudged = False

    # -- from the loop's thread ---------------------------------------------------------------------------

    def abandon(self) -> None:
        """End the run without a word: the power went, or the service is stopped."""
        self.calls.abandon()
        self._signal.set()

    def set_link(self, *, up: bool) -> None:
        """Have a network or not."""
        if up and not self._link_up:
            self.link_returns += 1
        self._link_up = up
        self.nudge()

    def leave(self) -> None:
        """Ask the run to deregister, and to end then."""
        self._leaving = True
        self.nudge()

    def ask_for_update(self) -> None:
        """Ask the run to update its registration once, at once."""
        self._update_asked = True
        self.nudge()

    def nudge(self) -> None:
        """Let the run look anew at what it waits for. From any thread."""
        self._nudged = True
        self._signal.set()

    # -- from the run's own thread ------------------------------------------------------------------------

    @property
    def leaving(self) -> bool:
        """Whether the run was asked to deregister."""
        return self._leaving

    def take_update(self) -> bool:
        """Tell whether the run was asked for an update since it was asked this."""
        asked = self._update_asked
        if asked:
            self._update_asked = False
        return asked

    def check(self) -> None:
        """See whether the run may go on.

        :raises Abandoned: it may not.
        :raises ClientFailure: there is no network.
        """
        self.calls.check()
        if not self._link_up:
            raise ClientFailure(ErrorName.ConnectNetworkError, "there is no network")

    def wait(
        self,
        deadline: float,
        file: HasFileno | None = None,
        *,
        writing: bool = False,
        nudgeable: bool = False,
    ) -> Woken:
        """Wait for a socket, for a nudge, or for some time to pass.

        :param deadline: when to give up, on the monotonic clock.
        :param file: what becomes readable, or writable; ``None``: nothing.
        :param nudgeable: a nudge ends the wait.
        :raises Abandoned: the run was ended.
        :raises ClientFailure: there is no network any more.
        """
        poll = select.poll()
        poll.register(self._signal, select.POLLIN)
        if file is not None:
            poll.register(file, select.POLLOUT if writing else select.POLLIN)
        while True:
            self.check()
            if nudgeable and self._take_nudge():
                return Woken.NUDGED
            left = deadline - time.monotonic()
            if left <= 0:
                return Woken.TIME_OUT
            ready = {number for number, _events in poll.poll(left * 1000 + 1)}
            self._signal.clear()
            if file is not None and file.fileno() in ready:
                self.check()
                return Woken.READY

    def pause(self, seconds: float, link_returns: int) -> None:
        """Let some time pass; the return of the network ends it early.

        :param link_returns: how often it had come back when what failed was begun.
        :raises Abandoned: the run was ended.
        """
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._signal, select.POLLIN)
        while True:
            self.calls.check()
            left = deadline - time.monotonic()
            if left <= 0 or self._leaving or self.link_returns != link_returns:
                return
            poll.poll(left * 1000 + 1)
            self._signal.clear()

    def _take_nudge(self) -> bool:
        # Put back only when it was set: a nudge that comes between two looks is not lost.
        if self._nudged:
            self._nudged = False
            return True
        return False

    @contextmanager
    def exchange(self, detail: str) -> Iterator[None]:
        """Pass the points before and after an exchange; the second one only when it came to an end.

        :param detail: which exchange; no secret.
        :raises Abandoned: the power went there.
        """
        shown = printable(detail)
        self.calls.pass_by(self._points, BEFORE_EXCHANGE, shown)
        yield
        self.calls.pass_by(self._points, AFTER_EXCHANGE, shown)

    def commit(self, store: KeyStore, changes: Mapping[str, bytes | None]) -> None:
        """Write items in one go; the store passes the points before and after it.

        :raises Abandoned: the power went there.
        :raises ClientFailure: the store refuses.
        """
        try:
            self.calls.call(lambda: store.commit(changes))
        except KcmRefusal as refusal:
            text = f"the key store refuses: {str(refusal).rstrip(':')}"
            raise ClientFailure(ErrorName.ConnectorFailedToStoreCredentials, text) from refusal

    def close(self) -> None:
        """Give up what wakes the run. On its own thread, last."""
        self._signal.close()
