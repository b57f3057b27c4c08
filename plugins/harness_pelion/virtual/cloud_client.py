"""The service ``mbl-cloud-client`` of the virtual device: started, stopped, looked at.

Source: pelion fact sheet, section 6.1.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from harness.virtual.loop_calls import Abandoned
from harness_pelion.virtual.client_log import ClientFailure, ErrorName
from harness_pelion.virtual.client_session import Session
from harness_pelion.virtual.client_work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.virtual.power_points import PowerPoints
    from harness_pelion.virtual.client_log import ClientLog, Clock
    from harness_pelion.virtual.client_session import ClientSettings, KeyStore

STOPPED, BOOTSTRAPPING, REGISTERING = "stopped", "bootstrapping", "registering"
REGISTERED, FAILED = "registered", "failed"

#: Seconds before the client bootstraps again when the LwM2M server has refused it (client source).
_BOOTSTRAP_AGAIN_S = 0.1
_MOST_DOUBLINGS = 16


class Host(Protocol):
    """What is needed of the bench; a :class:`~harness.virtual.contract.BoardHost` has it."""

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call something on the loop's thread; may be called from any thread."""

    def run_blocking(self, work: Callable[[], None]) -> None:
        """Run blocking work on a thread of its own."""


class CloudClient:
    """The service. Every method is called on the loop's thread, and none blocks."""

    def __init__(
        self,
        host: Host,
        kcm: KeyStore,
        log: ClientLog,
        settings: ClientSettings,
        points: PowerPoints,
        clock: Clock,
    ) -> None:
        """Be stopped.

        :param kcm: where the credentials are, and where those of a bootstrap go.
        :param settings: read anew whenever they matter; see :meth:`settings_changed`.
        :param points: passed before and after each exchange with a server.
        :param clock: judges certificates, and dates the log.
        """
        self._host = host
        self._kcm = kcm
        self._log = log
        self._settings = settings
        self._points = points
        self._clock = clock
        self._session: Session | None = None
        self._link_up = settings.link_up
        self._forget_run()

    def _forget_run(self) -> None:
        self._state = STOPPED
        self._error: ClientFailure | None = None
        self._endpoint_name = self._device_id = ""
        self._counts = dict.fromkeys(("bootstraps", "registrations", "updates", "failures"), 0)

    # -- the service --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start; nothing happens when it runs."""
        if self._session is not None:
            return
        self._forget_run()
        session = Session(self._host, self._settings, self._points, link_up=self._link_up)
        self._session = session
        self._log.info("mbl-cloud-client started")
        self._state = BOOTSTRAPPING
        self._host.run_blocking(partial(self._run, session))

    def stop(self) -> None:
        """End at once, without a word to any server: the power went, or the service is stopped."""
        session, self._session = self._session, None
        self._state = STOPPED
        if session is not None:
            session.abandon()

    def deregister(self) -> None:
        """Give the registration up, and stop when the server has heard of it.

        :raises ValueError: the client is not registered.
        """
        self._registered_session().leave()

    def update_registration(self) -> None:
        """Update the registration once, at once, whenever the next update would be due.

        :raises ValueError: the client is not registered.
        """
        self._registered_session().ask_for_update()

    def _registered_session(self) -> Session:
        if self._session is None or self._state != REGISTERED:
            raise ValueError(f"the client is {self._state}; expected registered")
        return self._session

    def set_link(self, *, up: bool) -> None:
        """Have a network or not; when it comes back the client tries again at once."""
        self._link_up = up
        if self._session is not None:
            self._session.set_link(up=up)

    def settings_changed(self) -> None:
        """Look at the settings anew, also while waiting for the next update."""
        if self._session is not None:
            self._session.nudge()

    def state(self) -> dict[str, Any]:
        """Return how the client is, as plain data.

        ``state`` is ``stopped``, ``bootstrapping``, ``registering``, ``registered`` or ``failed``; ``error``
        is the last one since it was last registered, or ``None``; the counts are those since the start.
        """
        error = self._error
        return {
            "state": self._state,
            "endpoint_name": self._endpoint_name,
            "device_id": self._device_id,
            "link_up": self._link_up,
            "error": None
            if error is None
            else {"name": error.name.name, "code": error.name.value, "details": error.details},
            **self._counts,
        }

    # -- told by the run, on the loop's thread ------------------------------------------------------------

    def bootstrapping(self) -> None:
        """Be about to bootstrap."""
        self._state = BOOTSTRAPPING
        self._log.info("Bootstrapping")

    def bootstrapped(self) -> None:
        """Have stored what a bootstrap gave."""
        self._counts["bootstraps"] += 1
        self._log.info("Client bootstrapped")

    def registering(self) -> None:
        """Be about to register."""
        self._state = REGISTERING

    def registered(self, endpoint_name: str, device_id: str) -> None:
        """Be registered."""
        self._state = REGISTERED
        self._error = None
        self._endpoint_name, self._device_id = endpoint_name, device_id
        self._counts["registrations"] += 1
        self._log.registered(endpoint_name, device_id)

    def updated(self) -> None:
        """Have updated the registration."""
        self._counts["updates"] += 1
        self._log.info("Client registration updated")

    def failed(self, failure: ClientFailure) -> None:
        """Have met an error."""
        self._state = FAILED
        self._error = failure
        self._counts["failures"] += 1
        self._log.failed(failure)

    def deregistered(self) -> None:
        """Have given the registration up."""
        self._log.warn("Client unregistered")

    # -- the run's thread ---------------------------------------------------------------------------------

    def _run(self, session: Session) -> None:
        work = Work(session, self._kcm, self._clock.now, self)
        try:
            self._try_until_left(session, work)
        except Abandoned:
            pass
        except Exception:
            unknown = ClientFailure(ErrorName.ConnectUnknownError, "the client failed")
            with suppress(Abandoned):
                self._tell_failure(session, unknown)
                session.calls.call(partial(self._ended, session))
            raise  # into the bench's log
        finally:
            session.close()

    def _try_until_left(self, session: Session, work: Work) -> None:
        failures = registrations = 0
        while True:
            link_returns = session.link_returns
            try:
                work.attempt()
            except ClientFailure as failure:
                told = failure
            else:
                return session.calls.call(partial(self._left, session))
            registrations, before = self._tell_failure(session, told), registrations
            # It was registered in between: the waits begin anew.
            failures = failures + 1 if registrations == before else 1
            if session.leaving or told.hopeless:
                return session.calls.call(partial(self._ended, session))
            session.pause(self._wait_before(failures, told), link_returns)

    def _tell_failure(self, session: Session, failure: ClientFailure) -> int:
        """Tell of a failure, and return how often the client has registered by then."""

        def tell() -> int:
            self.failed(failure)
            return self._counts["registrations"]

        return session.calls.call(tell)

    def _wait_before(self, failures: int, failure: ClientFailure) -> float:
        """Return the seconds before the next try; each wait is twice as long as the last one [design]."""
        first, longest = self._settings.retry_first_s, self._settings.retry_longest_s
        usual = min(longest, first * float(1 << min(failures - 1, _MOST_DOUBLINGS)))
        if failures == 1 and failure.healed:
            return min(usual, _BOOTSTRAP_AGAIN_S)
        return usual

    def _left(self, session: Session) -> None:
        self._ended(session)
        self._state = STOPPED

    def _ended(self, session: Session) -> None:
        if session is self._session:
            self._session = None
