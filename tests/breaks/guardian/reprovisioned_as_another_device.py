"""Break: a reprovisioned device becomes another component instance."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from harness_guardian.fake.flow import Flow
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "a reprovisioned device becomes another component instance"
EXPECTED = (
    "test_reprovisioning.py::test_counts_once[*",
    "test_power_cuts.py::test_further_installation[*before install*",
)
ABOUT = r"component_instance_id|counts [23] devices"

before = existing(Flow, "complete")


@replaces(Flow, "complete")
def complete(self: Flow, organisation: Organisation, request: ProvisioningRequest) -> None:
    """Give its device another id from now on, and leave the old one in older rows."""
    if request.reprovision and request.component_instance is not None:
        device = request.component_instance
        twin = type(device)(
            id=str(uuid.uuid4()),
            system=device.system,
            instance=device.instance,
            component_name=device.component_name,
            hw_id=device.hw_id,
            created_at=device.created_at,
            certificates=device.certificates,
        )
        organisation.add_device(twin)
        request.component_instance = twin
        organisation.add_certificates(twin, request)
        device.open_requests.discard(request.key)
    before(self, organisation, request)
