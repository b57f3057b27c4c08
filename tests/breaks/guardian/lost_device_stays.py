"""Break: a device whose place another one has taken goes on as if nothing were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.flow import Flow
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ComponentInstance, ProvisioningRequest

TITLE = "a device whose place another one has taken goes on as if nothing were"
NOTICED_BY = (
    "tests/guardian/fake/test_instances.py::test_a_device_that_takes_the_place_of_a_lost_one_retires_it",
    "tests/guardian/fake/test_instances.py::test_a_retired_device_is_no_signer_even_if_vault_knows_it",
)
ABOUT = r"RETIRED|outcome"


@replaces(Flow, "_retire_replaced")
def retire_replaced(
    self: Flow, organisation: Organisation, request: ProvisioningRequest, device: ComponentInstance
) -> None:
    """Leave it."""
    del self, organisation, request, device
