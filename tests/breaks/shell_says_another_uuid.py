"""Break: the shell says another device UUID than the modem."""

from __future__ import annotations

from harness_nordic.virtual.shell_firmware import FirmwareCommands
from tests.breaks.support.patching import replaces

TITLE = "the shell says another device UUID than the modem"
EXPECTED = ("test_shell_discipline.py::test_token_of_the_provisioning_shell[at-shell]",)
ABOUT = r"uuid"


@replaces(FirmwareCommands, "_uuid")
def _uuid(self: FirmwareCommands, _words: list[str]) -> None:
    """Say the fact sheet's example."""
    self._shell.print("50363154-3931-4aaa-8bbb-000102030405\n")
