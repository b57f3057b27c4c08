"""Break: the devices are counted before the signature of a request is verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import checks, verifying
from harness_guardian.fake.records import COUNTED
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.checks import Claims, Finding
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "the devices are counted before the signature of a request is verified"
NOTICED_BY = (
    "tests/guardian/fake/test_checks_order.py::test_initial_neighbours[CSR not proven, appliance only]",
)
ABOUT = r"outcome"


_verify_initial = verifying._verify_initial


@replaces(verifying, "_verify_initial")
def verify_initial(
    organisation: Organisation, request: ProvisioningRequest, claims: Claims
) -> Finding | None:
    """Do the sixth step before the third."""
    early = checks.check_initial(organisation, request, claims, COUNTED)
    return early or _verify_initial(organisation, request, claims)
