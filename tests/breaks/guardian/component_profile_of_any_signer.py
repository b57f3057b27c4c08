"""Break: a component installs a certified profile that the pinned signer did not sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.virtual import jws
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.virtual.jws import ReadJws
    from harness_guardian.virtual.keys import PublicKey

TITLE = "a component installs a profile that the pinned signer did not sign"
EXPECTED = ("test_installed_chain.py::test_damaged_profile[*signature*",)
ABOUT = r"DID NOT RAISE"


@replaces(jws, "verifies")
def verifies(read: ReadJws, key: PublicKey) -> bool:
    """Believe everybody."""
    return True
