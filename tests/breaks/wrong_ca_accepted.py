"""Break: the board talks TLS with whoever answers."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from harness_nordic.virtual.exchange import ServiceLink
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    import socket

TITLE = "the board talks TLS with whoever answers"
EXPECTED = (
    "test_transport.py::test_board_without_a_ca",
    "test_transport.py::test_board_with_another_ca",
    "test_transport.py::test_command_replaces_the_ca",
    "test_agents_in_trouble.py::test_wrong_root_ca[board]",
)
ABOUT = r"FAILED_WRONG_ROOT_CA"


@replaces(ServiceLink, "_handshake")
def _handshake(self: ServiceLink, sock: socket.socket, host: str) -> ssl.SSLSocket:
    """Verify nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(sock, server_hostname=host)
