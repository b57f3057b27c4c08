"""Break: the hardware id is compared before the system instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.enums import ErrorCode
from harness_guardian.fake import checks
from harness_guardian.fake.checks import Claims, Finding
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.records import ComponentInstance

TITLE = "the hardware id is compared before the system instance"
EXPECTED = ("test_check_order.py::test_instance_before_hardware_id",)
ABOUT = r"REPROVISIONING_MISMATCH"


_check = checks.check_reprovision


@replaces(checks, "check_reprovision")
def check_reprovision(claims: Claims, signer: ComponentInstance, *, in_progress: bool) -> Finding | None:
    """Compare the hardware id of devices of the right component first."""
    if claims.component.name == signer.component_name and claims.payload.hw_id != signer.hw_id:
        return Finding(ErrorCode.REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER, "the signer has another one")
    return _check(claims, signer, in_progress=in_progress)
