"""Break: a component that is provisioned again makes a fresh key for its identity only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.virtual import keys
from harness_guardian.virtual.component import Component
from harness_guardian.virtual.settings import IDENTITY_SLOT
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness_guardian.virtual.keys import PrivateKey

TITLE = "only the identity's key is a new one when a component is provisioned again"
EXPECTED = ("test_installed_chain.py::test_after_a_reprovisioning*",)
ABOUT = r"proof_problem\(before"

before = existing(Component, "_fresh_keys")


@replaces(Component, "_fresh_keys")
def _fresh_keys(self: Component, slots: Mapping[str, str]) -> dict[str, PrivateKey]:
    """Keep the keys of the other slots."""
    installed = self.installed
    fresh: dict[str, PrivateKey] = before(self, slots)
    for slot, entry in installed.slots.items() if installed is not None else ():
        if slot != IDENTITY_SLOT and slot in fresh:
            fresh[slot] = keys.from_pem(entry.key)
    return fresh
