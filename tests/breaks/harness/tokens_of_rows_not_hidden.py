"""Break: attestation tokens of rows are no secrets."""

from __future__ import annotations

from harness_nordic import client_bulk
from tests.breaks.support.patching import replaces

TITLE = "attestation tokens of rows are no secrets"
NOTICED_BY = ("tests/nordic/client/test_several.py::test_claim_of_many",)
ABOUT = r"hidden"


@replaces(client_bulk, "tokens_in")
def tokens_in(body: bytes) -> list[str]:
    """Find none."""
    return []
