"""Break: by SSH whoever answers is trusted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness.ssh import login
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.ssh.address import SshAddress

TITLE = "a host that has another key than the one by which a board is known is talked to"
NOTICED_BY = ("tests/ssh/test_connection.py::test_another_host_is_not_talked_to[*]",)
ABOUT = "DID NOT RAISE"

SECONDS = 10.0


@replaces(login, "_host_key")
def _host_key(address: SshAddress, name: str) -> tuple[str, bytes]:
    """Take for the board's key whichever the host has."""
    with login.open_transport(address.host, address.port, time.monotonic() + SECONDS) as transport:
        found = transport.get_remote_server_key()
        return found.get_name(), found.asbytes()
