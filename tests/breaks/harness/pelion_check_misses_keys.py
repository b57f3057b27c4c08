"""Break: the shared check of Pelion's suites sees no private key."""

from __future__ import annotations

from harness_pelion import agreement
from tests.breaks.support.patching import replaces

TITLE = "the shared check does not see a private key in a text"
NOTICED_BY = ("tests/pelion/test_agreement.py::test_single_disagreement_is_told[key as hex]",)
ABOUT = r"private key|assert"


@replaces(agreement, "is_in")
def is_in(key_der: bytes, text: str) -> bool:
    """See nothing."""
    return False
