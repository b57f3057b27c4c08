"""Break: what is in progress at one door does not keep a device from the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import verifying
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.checks import Claims, Finding
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest
    from harness_guardian.fake.vault_contract import VaultCalls

TITLE = "what is in progress at one door does not keep a device from the other"
NOTICED_BY = (
    "tests/guardian/fake/test_instances.py::test_a_device_has_one_reprovisioning_at_a_time[*-Appliance]",
)
ABOUT = r"outcome"


_verify_reprovision = verifying._verify_reprovision


@replaces(verifying, "_verify_reprovision")
async def verify_reprovision(
    organisation: Organisation, request: ProvisioningRequest, claims: Claims, vault: VaultCalls
) -> Finding | None:
    """Hide what came in at the other door for the time of the check."""
    number = request.envelope.chain[0].serial_number
    found = organisation.device_with_certificate(claims.system, number)
    others = {key for key in found[0].open_requests if key[0] is not request.door} if found else set()
    if found:
        found[0].open_requests -= others
    try:
        return await _verify_reprovision(organisation, request, claims, vault)
    finally:
        if found:
            found[0].open_requests |= others
