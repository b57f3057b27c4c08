"""Ways in which a server or the network goes wrong for the client, and what it says of them."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiocoap.numbers.codes import (  # type: ignore[import-untyped]  # it has no annotations
        Code,
    )

    from tests.pelion.cloud_client.scripted_server import Peer
    from tests.pelion.cloud_client.site import Site


def first_error(site: Site, **settings: float) -> tuple[str, str, str]:
    """Start the client, and return the first error that it logs."""
    for name, value in settings.items():
        setattr(site.board.settings, name, value)
    site.board.start()
    site.board.wait(lambda: any("Error details" in line for line in site.board.log.lines))
    return site.board.errors()[0]


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def bare(script: Callable[[socket.socket], object]) -> Callable[[Peer], None]:
    """Let a script have the socket without TLS."""
    script.plain = True  # type: ignore[attr-defined]  # the server looks for it
    return script  # type: ignore[return-value]  # see there


def refusing(code: Code, text: bytes = b"") -> Callable[[Peer], None]:
    """Return a script that refuses the first request."""

    def script(peer: Peer) -> None:
        peer.answer(peer.take(), code, text)
        peer.until_gone()

    return script
