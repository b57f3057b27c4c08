"""A leased Mbed Linux device: what may be done to it, what is noted before, and what is put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.driver_safety import PROVISION, CredentialGuard
from harness_pelion.driver_steps import CLEANUP_SECONDS, RemoteDevice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.inventory.leased_board import LeasedBoard
    from harness.ssh import Ended, SshConnection

_STATE = "board-state"

#: How long a virtual board is waited for: it boots at once.
VIRTUAL_CLEANUP_SECONDS = 15.0


class MblSession:
    """Speaks with a leased board by SSH. Before the first change it notes what is to be put back.

    :ivar board_id: the board's id, for messages.
    """

    def __init__(self, board: LeasedBoard) -> None:
        """Speak with a board; nothing is asked of it yet."""
        self._board = board
        self.board_id = board.id
        virtual = board.description.virtual
        restricted = not virtual and not board.settings.allow_destructive
        self._guard = CredentialGuard(board.id, restricted=restricted)
        self._cleanup_seconds = VIRTUAL_CLEANUP_SECONDS if virtual else CLEANUP_SECONDS
        self._device: RemoteDevice | None = None
        self._connection: SshConnection | None = None
        self._account: int | None = None
        self._changed = False
        self._folder = False

    @property
    def device(self) -> RemoteDevice:
        """The device behind SSH: its steps one by one, for suites that break them.

        What changes the device there is noted and put back only when :meth:`prepare` was called before.
        """
        connection: SshConnection = self._board.endpoint("ssh")
        if self._device is None or connection is not self._connection:
            self._connection = connection
            self._device = RemoteDevice(connection, self.board_id, cleanup_seconds=self._cleanup_seconds)
        return self._device

    @property
    def cleanup_seconds(self) -> float:
        """How long the device is waited for when it went away before its folder was removed."""
        return self._cleanup_seconds

    @cleanup_seconds.setter
    def cleanup_seconds(self, seconds: float) -> None:
        self._cleanup_seconds = seconds
        if self._device is not None:
            self._device.cleanup_seconds = seconds

    def prepare(self, what: str = "provisioning") -> None:
        """Note that the device's credentials are about to change, once for each test.

        :param what: what is about to be done, for the message.
        :raises UsageError: the board is somebody's, and nobody can put its credentials back.
        """
        self._guard.check(what)
        if self._account is None:
            self._account = self._board.accounts.note(_STATE, self.board_id, changed="credentials")
        self._changed = True

    def run_util(self, *options: str) -> Ended:
        """Run ``pelion-provisioning-util`` with any options, and return how it ended.

        :raises BoardLost: the device is not there, or goes away.
        :raises UsageError: it would overwrite somebody's credentials.
        """
        if PROVISION in options:
            self.prepare(f"the utility's {PROVISION}")
        return self.device.util(*options)

    # -- afterwards ---------------------------------------------------------------------------------------

    def restore(self) -> None:
        """Put back what was changed: the temporary folder goes, and a virtual board is as from its factory.

        Credentials that ``--allow-destructive`` let be overwritten on hardware stay overwritten.

        :raises HarnessError: something could not be put back; the next call tries again.
        """
        virtual = self._board.description.virtual
        used = (
            self._device is not None
        )  # suites may change a virtual board by its steps and its controls, too
        if not (self._changed or (used and virtual) or (used and self.device.folder_left)):
            return
        if virtual:
            self._board.virtual.call("forget")
        elif self._folder or self.device.folder_left:
            self.device.remove_folder()
        self._changed = self._folder = False
        self._device = None
        if self._account is not None:
            self._board.accounts.settle(self._account)
            self._account = None

    def recover(self, details: Mapping[str, str]) -> None:  # noqa: ARG002 - the same whatever was changed
        """Put back what a session left that died with this board in hand.

        :param details: of its account of the board.
        """
        self._changed = self._folder = True
        self.restore()
