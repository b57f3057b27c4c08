"""Break: the host talks to a service whatever CA its certificate is from."""

from __future__ import annotations

import ssl

from harness_nordic.host_agent import link
from tests.breaks.support.patching import replaces

TITLE = "the host's agent accepts a wrong CA"
EXPECTED = ("test_agents_in_trouble.py::test_wrong_root_ca[host]",)
ABOUT = r"FAILED_WRONG_ROOT_CA"


@replaces(link, "_trust")
def trust(ca_pem: str | None) -> ssl.SSLContext:
    """Verify nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
