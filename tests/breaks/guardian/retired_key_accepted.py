"""Break: a package key verifies requests whatever its state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_guardian.enums import SignerKeyState
from harness_guardian.fake import verifying
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.checks import Claims, Finding
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "a package key verifies requests whatever its state"
EXPECTED = (
    "test_systems.py::test_key_that_is_not_active[pending]",
    "test_systems.py::test_key_that_is_not_active[retired]",
    "test_systems.py::test_key_that_is_retired_later",
    "test_check_order.py::test_signer_before_appliance_only",
)
ABOUT = r"MISSING_PR_SIGNER_KEY"


_verify = verifying._verify_initial


@replaces(verifying, "_verify_initial")
def _verify_initial(
    organisation: Organisation, request: ProvisioningRequest, claims: Claims
) -> Finding | None:
    """Take every registered key for an active one."""
    keys = claims.system.signer_keys
    active = {kid: replace(key, state=SignerKeyState.ACTIVE) for kid, key in keys.items()}
    return _verify(organisation, request, replace(claims, system=replace(claims.system, signer_keys=active)))
