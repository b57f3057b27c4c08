"""Break: old certificates are revoked as soon as the new profile is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.revocations import Revocations
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "old certificates are revoked as soon as the new profile is fetched"
NOTICED_BY = (
    "tests/guardian/fake/test_revocations.py::test_the_grace_begins_when_the_profile_is_fetched[False]",
)
ABOUT = r"revoked"


_fetched = Revocations.fetched


@replaces(Revocations, "fetched")
def fetched(self: Revocations, organisation: Organisation, request: ProvisioningRequest) -> None:
    """Let everything that waits be due now."""
    _fetched(self, organisation, request)
    for old in self._waiting.get(organisation.name, []):
        old.due = organisation.clock.seconds() if old.due is not None else None
    self.clock_changed(organisation)
