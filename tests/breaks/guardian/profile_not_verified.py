"""Break: a certified profile is handed out whose signature nobody has verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import issuing
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Mapping

TITLE = "a certified profile is not verified before it is handed out"
NOTICED_BY = (
    "tests/guardian/fake/test_issuing.py::test_fault_of_the_vault_has_its_code[sign-profile-bad-signature]",
)
ABOUT = r"Status\.ERROR"


@replaces(issuing, "verified")
def verified(profile: str, signer: Mapping[str, str]) -> str:
    """Believe it."""
    return profile
