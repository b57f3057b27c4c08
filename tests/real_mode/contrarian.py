"""A session in real mode against the contrarian fake: another process, over TLS, with a team of its own.

The fake stands for the real service with every unknown decided the other way. The session knows of it what it
would know of the real one: an address, a key in a file, and the authority of its certificate. The boards are
enrolled by us, as a factory would have done, behind its back.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.backends.http import ServiceHttp
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_nordic.client import enrol
from tests.real_mode.elsewhere import (
    World,
    environment_without,
    private_file,
    run_as_command,
    start_contrarian,
)

if TYPE_CHECKING:
    from contextlib import ExitStack

KEY = "c0ffee-contrarian-team-key-0123456789"
KINDS = ("nrf9151dk-virtual", "nrf9161dk-virtual", "nrf9131ek-virtual", "thingy91x-virtual")


def make_world(resources: ExitStack, *, boards: int = 2) -> World:
    """Start the fake and a bench, enrol the boards, and write down what the session may know.

    :param resources: ends it all.
    """
    fake, place = start_contrarian(resources, "nrfcloud", {"team-key": KEY})
    with ServiceHttp("http://fake", socket=fake.control) as control:
        tls = control.request("GET", "/tls", operation="tls", accept={200}).json()
    kinds: list[tuple[str, str | None, dict[str, object]]] = [(kind, None, {}) for kind in KINDS[:boards]]
    bench = resources.enter_context(start_bench(place / "bench", kinds))
    with BenchClient(bench.socket) as client:
        for state in client.boards():
            enrol(fake, client.request("call", board=state.id, method="factory_record", params={}))
    authorities = place / "authorities.pem"
    authorities.write_text(tls["ca"])
    address = f"https://localhost:{urlsplit(tls['url']).port}"
    return World(
        fake=fake,
        arguments=("--bench", f"virtual={bench.socket}", "--backend", f"nrfcloud=real:{address}"),
        environment={
            **environment_without("NRFCLOUD_API_KEY"),
            "NRFCLOUD_API_KEY_FILE": private_file(place, "key", KEY),
            "NRFCLOUD_OWN_TEAM": "yes",
            "NRFCLOUD_CA_FILE": str(authorities),
            "HARNESS_STATE_DIR": str(place / "state"),
        },
    )


if __name__ == "__main__":
    sys.exit(run_as_command(make_world))
