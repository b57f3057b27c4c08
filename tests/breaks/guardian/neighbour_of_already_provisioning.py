"""Break: APPLIANCE_ONLY is said where REPROVISIONING_PROVISIONING_COMPONENT is meant."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "APPLIANCE_ONLY is said where REPROVISIONING_PROVISIONING_COMPONENT is meant"
EXPECTED = ("test_reprovisioning_mismatches.py::test_already_provisioning[*",)
ABOUT = r"REPROVISIONING_PROVISIONING_COMPONENT"

confuse(ErrorCode.REPROVISIONING_PROVISIONING_COMPONENT)
