"""Break: the key store takes what is no certificate or key."""

from __future__ import annotations

from harness_pelion.virtual import kcm
from tests.breaks.support.patching import replaces

TITLE = "the key store takes what is no certificate or key"
EXPECTED = (
    "test_injection.py::test_store_refuses_developer_item[*",
    "test_injection.py::test_store_refuses_update_certificate[*",
)
ABOUT = r"errors"


@replaces(kcm, "check_item")
def check_item(name: str, data: bytes) -> None:
    """Like everything."""
