"""Break: the response to a signing request holds no CSR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from typing import Any

    from harness_nordic.fake.commands import Command

TITLE = "the response to a signing request holds no CSR"
EXPECTED = (
    "test_commands.py::test_certificate_signing_request",
    "test_credential_store.py::test_service_gets_the_public_key",
)
ABOUT = r"exported|publicKey"

before = existing(CommandQueue, "_succeed")


@replaces(CommandQueue, "_succeed")
def _succeed(self: CommandQueue, command: Command, result: dict[str, Any]) -> None:
    """Answer every command alike."""
    before(self, command, {"message": "OK"})
