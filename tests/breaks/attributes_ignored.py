"""Break: the board makes a CSR with its usual subject, whatever was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual import keys
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from uuid import UUID

    from cryptography import x509

TITLE = "the board makes a CSR with its usual subject, whatever was asked"
EXPECTED = ("test_commands.py::test_certificate_signing_request",)
ABOUT = r"CN=board-1"

before = existing(keys, "read_subject")


@replaces(keys, "read_subject")
def read_subject(attributes: str, device: UUID) -> x509.Name:
    """Take the device UUID for the name in any case."""
    name: x509.Name = before("", device)
    return name
