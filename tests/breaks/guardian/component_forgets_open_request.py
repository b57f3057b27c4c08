"""Break: the open request and its keys are lost with the power."""

from __future__ import annotations

from harness_guardian.virtual import records
from harness_guardian.virtual.board import GuardianComponent
from tests.breaks.support.patching import existing, replaces

TITLE = "an open request and its keys are lost with the power"
EXPECTED = ("test_power_cuts.py::test_exchanges[*",)
ABOUT = r"_wrong"

before = existing(GuardianComponent, "power_off")


@replaces(GuardianComponent, "power_off")
def power_off(self: GuardianComponent) -> None:
    """Have kept them in volatile memory."""
    before(self)
    storage = self._agent.component.storage
    kept = {name: content for name in storage.names() if (content := storage.read(name)) is not None}
    kept.pop(records.PENDING, None)
    storage._switch(kept)
