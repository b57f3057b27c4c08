"""What the driver may change on a Mbed Linux device, and what is put back.

A virtual board is nobody's: everything may be changed, and a factory reset puts it back. On any other board
provisioning overwrites the credentials in its secure storage; the utility has no word to read or erase them
(pelion fact sheet, section 2), so nobody could put them back. It needs ``--allow-destructive``.
"""

from __future__ import annotations

from harness.errors import UsageError

#: The option of the utility that changes what the device holds.
PROVISION = "--provision"


class CredentialGuard:
    """Refuses what would overwrite somebody's credentials.

    :ivar restricted: whether anything is refused at all.
    """

    def __init__(self, board: str, *, restricted: bool) -> None:
        """Guard a board.

        :param board: its id, for messages.
        :param restricted: whether anything is refused at all.
        """
        self._board = board
        self.restricted = restricted

    def check(self, what: str) -> None:
        """Let something pass that overwrites credentials, or not.

        :param what: what is about to be done, for the message.
        :raises UsageError: the board is somebody's.
        """
        if self.restricted:
            raise UsageError(
                f"{what} would overwrite credentials of board {self._board}, and nobody can put them back",
                key="--allow-destructive",
                expected="a virtual board, or this option, if that is meant",
            )
