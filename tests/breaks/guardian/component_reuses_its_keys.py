"""Break: a component that is provisioned again asks for certificates of the keys that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.virtual import keys
from harness_guardian.virtual.component import Component
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness_guardian.virtual.keys import PrivateKey

TITLE = "keys are reused when a component is provisioned again"
NOTICED_BY = ("tests/guardian/virtual/test_provisioning.py::test_reprovisioning",)
ABOUT = r"disjoint|startswith"

before = existing(Component, "_fresh_keys")


@replaces(Component, "_fresh_keys")
def _fresh_keys(self: Component, slots: Mapping[str, str]) -> dict[str, PrivateKey]:
    """Take what is installed."""
    installed = self.installed
    fresh: dict[str, PrivateKey] = before(self, slots)
    if installed is not None:
        known = {slot: keys.from_pem(entry.key) for slot, entry in installed.slots.items()}
        fresh = {slot: known.get(slot, key) for slot, key in fresh.items()}
    return fresh
