"""Break: old certificates are revoked an hour before the grace is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.revocations import Revocations
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.organisation import Organisation

TITLE = "old certificates are revoked an hour before the grace is over"
EXPECTED = ("test_reprovisioning.py::test_grace[*]",)
ABOUT = r"_revoked\("
_HOUR = 3600.0

_clock_changed = Revocations.clock_changed


@replaces(Revocations, "clock_changed")
def clock_changed(self: Revocations, organisation: Organisation) -> None:
    """Let what is due within the hour be due now."""
    soon = organisation.clock.seconds() + _HOUR
    for old in self._waiting.get(organisation.name, []):
        if old.due is not None and old.due <= soon:
            old.due = organisation.clock.seconds()
    _clock_changed(self, organisation)
