"""Break: REPROVISIONING_PROVISIONING_COMPONENT is said where REPROVISIONING_MISMATCH_INSTANCE is meant."""

from __future__ import annotations

from harness_guardian.enums import ErrorCode
from tests.breaks.support.neighbouring_codes import confuse

TITLE = "REPROVISIONING_PROVISIONING_COMPONENT is said where REPROVISIONING_MISMATCH_INSTANCE is meant"
EXPECTED = ("test_reprovisioning_mismatches.py::test_instance[*",)
ABOUT = r"REPROVISIONING_MISMATCH_INSTANCE"

confuse(ErrorCode.REPROVISIONING_MISMATCH_INSTANCE)
