"""Break: the temporary folder is not made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ssh import SshConnection
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness.ssh import Ended

TITLE = "what an earlier run left in the temporary folder is used"
NOTICED_BY = ("tests/pelion/driver/test_steps.py::test_old_folder_is_made_anew",)
ABOUT = r"assert"

before = existing(SshConnection, "run")


@replaces(SshConnection, "run")
def run(self: SshConnection, command: str, stdin: bytes = b"", *, timeout: float) -> Ended:
    """Remove nothing."""
    ended: Ended = before(self, "true" if command.startswith("rm ") else command, stdin, timeout=timeout)
    return ended
