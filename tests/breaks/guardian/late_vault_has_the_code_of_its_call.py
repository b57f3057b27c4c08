"""Break: a Vault that is late shows as one that does not sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.enums import ErrorCode
from harness_guardian.fake import issuing
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.issuing import IssuingFailed
    from harness_guardian.fake.vault_contract import VaultTimeout

TITLE = "a time-out has the code of a refused signature"
NOTICED_BY = (
    "tests/guardian/fake/test_issuing.py::test_late_vault_is_a_time_out[sign]",
    "tests/guardian/fake/test_issuing.py::test_late_vault_is_a_time_out[read-issuer]",
)
ABOUT = r"FAIL_SIGN_DEVICE_CERTIFICATES"


@replaces(issuing, "_too_late")
def _too_late(late: VaultTimeout) -> IssuingFailed:
    """Call it by its neighbour's name."""
    return issuing.IssuingFailed(ErrorCode.FAIL_SIGN_DEVICE_CERTIFICATES, str(late))
