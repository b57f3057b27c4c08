"""Break: the files stay in the directory of their set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ssh import SshConnection
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness.ssh import Ended

TITLE = "the files are not moved out of the directory of their set"
EXPECTED = (
    "test_injection.py::test_account_id_is_not_read",
    "test_evidence.py::test_each_link_holds[util]",
)
ABOUT = r"could not be opened|ok"

before = existing(SshConnection, "run")


@replaces(SshConnection, "run")
def run(self: SshConnection, command: str, stdin: bytes = b"", *, timeout: float) -> Ended:
    """Move nothing."""
    ended: Ended = before(self, "true" if command.startswith("mv ") else command, stdin, timeout=timeout)
    return ended
