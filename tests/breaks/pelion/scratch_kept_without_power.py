"""Break: what was copied is there again when the power is."""

from __future__ import annotations

from harness_pelion.virtual.filesystem import Filesystem
from tests.breaks.support.patching import replaces

TITLE = "what was copied to /scratch outlives a power cycle"
EXPECTED = (
    "test_reboot.py::test_scratch_is_lost",
    "test_reboot.py::test_boot_between_sessions[copied]",
)
ABOUT = r"folder_exists"


@replaces(Filesystem, "lose_power")
def lose_power(self: Filesystem) -> None:
    """Lose nothing."""
