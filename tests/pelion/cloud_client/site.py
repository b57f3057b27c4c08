"""What the tests of the client have before them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.pelion.cloud_client.paper_board import DEADLINE

if TYPE_CHECKING:
    from tests.pelion.cloud_client.paper_board import PaperBoard
    from tests.pelion.cloud_client.pki import Pki
    from tests.pelion.cloud_client.scripted_server import BootstrapScript, RegistrationScript, ScriptedServer


@dataclass
class Site:
    """Two servers and a board.

    :ivar dialogue: what the bootstrap server does usually.
    :ivar registration: what the LwM2M server does usually.
    """

    pki: Pki
    board: PaperBoard
    bootstrap: ScriptedServer
    lwm2m: ScriptedServer
    dialogue: BootstrapScript
    registration: RegistrationScript

    @property
    def uri(self) -> str:
        """Return the LwM2M server's URI."""
        return f"coaps://127.0.0.1:{self.lwm2m.port}"

    def register(self) -> dict[str, Any]:
        """Start the client and wait until it is registered, and has answered what the server asks."""
        self.registration.asked.clear()
        self.board.start()
        state = self.board.wait_state("registered")
        assert self.registration.asked.wait(DEADLINE)
        return state
