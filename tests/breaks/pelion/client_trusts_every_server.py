"""Break: a device tells any server who it is."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from harness_pelion.virtual import tls_link
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.virtual.tls_link import Identity

TITLE = "a device trusts every server"
EXPECTED = ("test_bootstrap.py::test_server_of_another_authority",)
ABOUT = r"not view.registered"

before = existing(tls_link, "_context")


@replaces(tls_link, "_context")
def _context(identity: Identity) -> ssl.SSLContext:
    """Ask for no certificate."""
    context: ssl.SSLContext = before(identity)
    context.verify_mode = ssl.CERT_NONE
    return context
