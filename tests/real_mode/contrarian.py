"""A session in real mode against the contrarian fake: another process, over TLS, with a team of its own.

The fake stands for the real service with every unknown decided the other way. The session knows of it what it
would know of the real one: an address, a key in a file, and the authority of its certificate. The boards are
enrolled by us, as a factory would have done, behind its back.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.backends.contract import Backend, known_backends
from harness.backends.http import ServiceHttp
from harness.backends.launcher import start_fake
from harness.config import runtime_directory
from harness.plugins import load_plugins
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_nordic.client import enrol

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY = "c0ffee-contrarian-team-key-0123456789"
KINDS = ("nrf9151dk-virtual", "nrf9161dk-virtual", "nrf9131ek-virtual", "thingy91x-virtual")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the session is given.

    :ivar fake: the contrarian fake, with the control socket that the session does not get.
    :ivar arguments: of pytest.
    :ivar environment: of the session.
    """

    fake: Backend
    arguments: tuple[str, ...]
    environment: dict[str, str]


def make_world(resources: ExitStack, *, options: dict[str, str] | None = None, boards: int = 2) -> World:
    """Start the fake and a bench, enrol the boards, and write down what the session may know.

    :param resources: ends it all.
    :param options: of the fake besides its key; by default it is contrarian.
    """
    spec = known_backends(load_plugins())["nrfcloud"]
    place = Path(
        resources.enter_context(tempfile.TemporaryDirectory(prefix="real-", dir=runtime_directory()))
    )
    settings = {"contrarian": "yes"} if options is None else options
    served = start_fake(spec, place, lifeline=None, options={"team-key": KEY, **settings})
    fake = resources.enter_context(served).backend
    with ServiceHttp("http://fake", socket=fake.control) as control:
        tls = control.request("GET", "/tls", operation="tls", accept={200}).json()
    kinds: list[tuple[str, str | None, dict[str, object]]] = [(kind, None, {}) for kind in KINDS[:boards]]
    bench = resources.enter_context(start_bench(place / "bench", kinds))
    with BenchClient(bench.socket) as client:
        for state in client.boards():
            enrol(fake, client.request("call", board=state.id, method="factory_record", params={}))
    authorities = place / "authorities.pem"
    authorities.write_text(tls["ca"])
    key = place / "key"
    key.touch(0o600)
    key.write_text(KEY)
    address = f"https://localhost:{urlsplit(tls['url']).port}"
    return World(
        fake=fake,
        arguments=("--bench", f"virtual={bench.socket}", "--backend", f"nrfcloud=real:{address}"),
        environment={
            **{name: value for name, value in os.environ.items() if name != "NRFCLOUD_API_KEY"},
            "NRFCLOUD_API_KEY_FILE": str(key),
            "NRFCLOUD_OWN_TEAM": "yes",
            "NRFCLOUD_CA_FILE": str(authorities),
            "HARNESS_STATE_DIR": str(place / "state"),
        },
    )


def run_suites(
    world: World, arguments: Sequence[str], *, deadline: float
) -> subprocess.CompletedProcess[str]:
    """Run ``harness run nrfcloud`` in that world.

    :param arguments: more of them, for pytest.
    """
    command = [sys.executable, "-m", "harness.cli", "run", "nrfcloud", *world.arguments, *arguments]
    return subprocess.run(
        command, env=world.environment, capture_output=True, text=True, timeout=deadline, check=False
    )


if __name__ == "__main__":
    with ExitStack() as held:
        done = run_suites(make_world(held), sys.argv[1:], deadline=900)
        sys.stdout.write(done.stdout)
        sys.stderr.write(done.stderr)
        sys.exit(done.returncode)
