"""Break: a restart by the shell loses the credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual.shell_firmware import FirmwareCommands
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.virtual.modem import Modem

TITLE = "a restart by the shell loses the credentials"
EXPECTED = ("test_shell_discipline.py::test_restart[at-shell]",)
ABOUT = r"held|as_stored"

before = existing(FirmwareCommands, "_restart")


@replaces(FirmwareCommands, "_restart")
def _restart(self: FirmwareCommands, _words: list[str]) -> bool:
    """Delete what can be deleted, then restart."""
    modem: Modem = self._modem
    for entry in modem.store.entries():
        if entry.tag < 2**31:
            modem.store.delete(entry.tag, entry.type)
    restarted: bool = before(self, _words)
    return restarted
