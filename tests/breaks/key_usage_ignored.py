"""Break: the board makes a CSR with its usual key usage, whatever was asked."""

from __future__ import annotations

from harness_nordic.virtual import keys
from tests.breaks.support.patching import replaces

TITLE = "the board makes a CSR with its usual key usage, whatever was asked"
EXPECTED = ("test_commands.py::test_certificate_signing_request",)
ABOUT = r"key_usage"


@replaces(keys, "check_key_usage")
def check_key_usage(bits: str) -> str:
    """Take the usual one."""
    return keys.DEFAULT_KEY_USAGE
