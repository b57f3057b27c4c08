"""Break: a device is provisioned before it says that it has installed its profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.flow import Flow
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest
    from harness_guardian.fake.vault_contract import Issued

TITLE = "a device is provisioned before it says that it has installed its profile"
EXPECTED = (
    "test_disconnected.py::test_completed_by_the_board",
    "test_disconnected.py::test_who_completes",
)
ABOUT = r"PROVISIONING"


_note = Flow._note_issued


@replaces(Flow, "_note_issued")
def _note_issued(
    self: Flow, organisation: Organisation, request: ProvisioningRequest, issued: Issued
) -> None:
    """Wait for nobody."""
    _note(self, organisation, request, issued)
    if not request.is_final:
        self.complete(organisation, request)
