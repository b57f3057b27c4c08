"""The driver ``mbl``: what suites ask of a Mbed Linux device that is provisioned for Pelion over SSH.

Source: pelion fact sheet, sections 1.6, 2 and 6.1.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.errors import BoardFault, BoardLost, ConsoleTimeout, HarnessError, RigFault, UsageError
from harness.evidence import reported_as
from harness_pelion.driver_models import (
    BOOT_ID,
    CLIENT_LOG,
    FOLDER,
    RESTART_CLIENT,
    BoardSnapshot,
    ClientLogView,
    HeldItem,
    Outcome,
    PelionStatus,
    read_client_log,
)
from harness_pelion.driver_session import MblSession
from harness_pelion.driver_steps import text_of
from harness_pelion.key_forms import known_forms

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_pelion.resources import DeveloperCredentials, UpdateResources

BOOT_SECONDS = 60.0
CLIENT_SECONDS = 60.0
"""How long a client may take to register; the documents wait about 30 s (pelion fact sheet, section 6.1)."""

HEALTH_SECONDS = 3.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0


class MblDriver(MblSession):
    """Drives a leased board that runs Mbed Linux OS."""

    _boot_id: str | None = None

    # -- provisioning -------------------------------------------------------------------------------------

    @reported_as("The device is provisioned for Pelion")
    def provision(self, developer: DeveloperCredentials, update: UpdateResources) -> Outcome:
        """Copy credentials onto the device and let its utility store them, by four connections.

        The temporary folder is removed whatever becomes of the rest, also after a lost connection.

        :return: how the utility ended; a failure is no exception.
        :raises UsageError: the board is somebody's, or a set's name is none of a directory.
        :raises BoardLost: the device went away.
        :raises BoardFault: the device did not take the files, or could not remove them.
        """
        self.prepare()
        self.register_secrets(developer)
        return self.device.provision(developer, update)

    def register_secrets(self, developer: DeveloperCredentials) -> None:
        """Say that a private key must never be written, in any of the forms that it is handled in here."""
        with suppress(KeyError):  # a suite may leave it out
            for form in known_forms(developer.private_key_der):
                self._board.register_secret(form, "private key")

    # -- how it is ----------------------------------------------------------------------------------------

    @reported_as("The device says whether it is configured for Pelion")
    def status(self) -> PelionStatus:
        """Ask the device whether it is configured.

        :raises BoardFault: its exit status and its words contradict each other.
        """
        return self.device.status()

    def health(self) -> bool:
        """Tell whether the device answers and has its utility."""
        try:
            return self.device.util("--help", timeout=HEALTH_SECONDS).status == 0
        except HarnessError:
            return False

    def folder_exists(self) -> bool:
        """Tell whether the temporary folder is there."""
        return self.device.folder_exists()

    def items(self) -> dict[str, HeldItem]:
        """Return what the device's key and configuration store holds, by name.

        :raises UsageError: the board is hardware, whose store nobody reads from outside.
        """
        if not self._board.description.virtual:
            raise UsageError(
                f"the store of board {self.board_id} cannot be read", expected="a virtual board for this test"
            )
        try:
            return {
                str(name): HeldItem(size=int(item["size"]), sha256=str(item["sha256"]))
                for name, item in self._board.virtual.call("kcm").items()
            }
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise RigFault(f"the virtual board does not say what its store holds: {error!r}") from error

    def snapshot(self) -> BoardSnapshot:
        """Return what a provisioning may change; two equal ones mean that nothing was changed."""
        status = self.device.status()
        return BoardSnapshot(
            configured=status.configured,
            reason=status.reason,
            folder=self.watched_folder(),
            items=self.items() if self._board.description.virtual else None,
        )

    # -- its client ---------------------------------------------------------------------------------------

    @reported_as("The device's client is started anew")
    def restart_client(self) -> int:
        """Start the service anew that bootstraps and registers the device.

        :return: where the new run begins in the client's log, for ``after`` of :meth:`client_log`: what the
            old one logged until its end does not count. Where no start is logged it is the log's size before.
        :raises RemoteCommandFailed: the device cannot.
        """
        before = self.watched_log().size
        self.device.must(RESTART_CLIENT)
        started = self.watched_log(after=before).started_at
        return before if started is None else started

    def client_log(self, *, after: int = 0) -> ClientLogView:
        """Return what the log of the device's client says; empty when there is none yet.

        :param after: how much of it does not count, in bytes.
        :raises BoardFault: it cannot be read.
        """
        ended = self.device.execute(f"cat {CLIENT_LOG}")
        if ended.status not in {0, 1}:
            raise BoardFault(f"{self.board_id}: {CLIENT_LOG} cannot be read: {text_of(ended.errors)!r}")
        return read_client_log(ended.output if ended.status == 0 else b"", after=after)

    def watched_log(self, *, after: int = 0) -> ClientLogView:
        """Return what :meth:`client_log` does, for whoever looks again and again.

        A virtual board tells it without a connection by SSH, of which each costs more than all the rest.
        """
        if not self._board.description.virtual:
            return self.client_log(after=after)
        return read_client_log(str(self._board.virtual.call("client_log")).encode(), after=after)

    def watched_folder(self) -> bool:
        """Return what :meth:`folder_exists` does; a virtual board tells it without a connection."""
        if not self._board.description.virtual:
            return self.folder_exists()
        return self._board.virtual.call("file_mode", path=FOLDER) is not None

    @reported_as("The device's client registers")
    def wait_until_registered(self, timeout: float = CLIENT_SECONDS, *, after: int = 0) -> ClientLogView:
        """Wait until the client's log says that the device is registered.

        :param timeout: seconds.
        :param after: how much of the log does not count, in bytes.
        :raises ConsoleTimeout: it did not in time; the errors that it logged are named.
        """
        return self._wait_for_log(lambda view: view.registered, "registered", timeout, after)

    def wait_for_client_error(
        self, name: str | None = None, timeout: float = CLIENT_SECONDS, *, after: int = 0
    ) -> ClientLogView:
        """Wait until the client has logged an error.

        :param name: which, for example ``ConnectBootstrapFailed``; without it any.
        :raises ConsoleTimeout: it did not in time.
        """
        return self._wait_for_log(
            lambda view: any(name in {None, error.name} for error in view.errors),
            f"the error {name or 'that was to come'}",
            timeout,
            after,
        )

    def wait_until_at_rest(self, timeout: float = CLIENT_SECONDS, *, after: int = 0) -> ClientLogView:
        """Wait until the client has registered or logged an error, whichever comes first.

        :param timeout: seconds.
        :param after: how much of the log does not count, in bytes.
        :raises ConsoleTimeout: neither in time.
        """
        return self._wait_for_log(
            lambda view: view.registered or bool(view.errors), "how it went", timeout, after
        )

    def _wait_for_log(
        self, wanted: Callable[[ClientLogView], bool], what: str, timeout: float, after: int
    ) -> ClientLogView:
        deadline, pause = time.monotonic() + timeout, _FIRST_PAUSE
        while True:
            view = self.watched_log(after=after)
            if wanted(view):
                return view
            left = deadline - time.monotonic()
            if left <= 0:
                errors = "; ".join(map(str, view.errors)) or "none"
                raise ConsoleTimeout(
                    f"{self.board_id}: the client's log did not say {what} within {timeout:g} s;"
                    f" errors: {errors}"
                )
            threading.Event().wait(min(pause, left))  # a log is a file: nobody tells that it has grown
            pause = min(2 * pause, _LONGEST_PAUSE)

    # -- booting ------------------------------------------------------------------------------------------

    @reported_as("The device reboots")
    def reboot(self) -> None:
        """Have the device boot; :meth:`wait_until_back` waits for the end of that.

        :raises BoardLost: it was not there to begin with.
        """
        self._boot_id = self.boot_id()
        with suppress(BoardLost):  # it may go down before it says how the command ended
            self.device.execute("reboot")

    @reported_as("The device is back")
    def wait_until_back(self, timeout: float = BOOT_SECONDS) -> None:
        """Wait until the device can be asked again after :meth:`reboot` or a lost connection.

        :raises BoardLost: it did not come back in time, or never went down.
        """
        deadline, pause = time.monotonic() + timeout, _FIRST_PAUSE
        with self.device.session() as connection:
            connection.wait_until_back(timeout)
        while self._boot_id is not None:
            with suppress(BoardLost):
                if self.boot_id() != self._boot_id:
                    self._boot_id = None
                    return
            if time.monotonic() + pause >= deadline:
                raise BoardLost(f"{self.board_id} did not boot within {timeout:g} s")
            threading.Event().wait(pause)  # it has not gone down yet
            pause = min(2 * pause, _LONGEST_PAUSE)

    def boot_id(self) -> str:
        """Return the id that Linux made when the device booted last.

        :raises RemoteCommandFailed: the device does not tell it.
        """
        return text_of(self.device.must(f"cat {BOOT_ID}").output).strip()
