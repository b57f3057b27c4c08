"""A session of Pelion's suites against the contrarian fake, as if it were a service elsewhere.

The fake decides every unknown the other way. The session knows of it what it would know of the real service:
an address and an API key, in a file that only its owner may read. Run as a module it runs all suites.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.backends.contract import Backend, known_backends
from harness.backends.http import ServiceHttp
from harness.backends.launcher import start_fake
from harness.config import runtime_directory
from harness.plugins import load_plugins
from harness.virtual.launcher import start_bench

if TYPE_CHECKING:
    from collections.abc import Sequence

KIND = "mbl-device-virtual"


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

    def left(self) -> dict[str, list[Any]]:
        """Return the ids of what the account holds now: certificates, devices and API keys."""
        key = Path(self.environment["PELION_API_KEY_FILE"]).read_text().strip()
        with ServiceHttp(self.fake.url, headers={"Authorization": f"Bearer {key}"}) as service:
            return {
                path.strip("/"): [row["id"] for row in _rows(service, f"/v3/{path}")]
                for path in ("trusted-certificates", "api-keys", "devices/")
            }


def _rows(service: ServiceHttp, path: str) -> list[dict[str, Any]]:
    answer = service.request("GET", path, operation="list", accept={200}, params={"limit": 1000})
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


def make_world(resources: ExitStack, *, boards: int = 2) -> World:
    """Start the fake and a bench, and write down what the session may know.

    :param resources: ends it all.
    """
    spec = known_backends(load_plugins())["pelion"]
    place = Path(
        resources.enter_context(tempfile.TemporaryDirectory(prefix="real-", dir=runtime_directory()))
    )
    served = start_fake(spec, place, lifeline=None, options={"contrarian": "yes"})
    fake = resources.enter_context(served).backend
    with ServiceHttp("http://fake", socket=fake.control) as control:
        answer = control.request(
            "POST", "/accounts", operation="make", accept={200, 201}, json={"name": "elsewhere"}
        )
        account = answer.json()
        # The tests of four workers hold more certificates at a time than an account has room for.
        control.request(
            "POST",
            f"/accounts/{account['id']}/limits",
            operation="give room",
            accept={200, 204},
            json={"certificates": 100},
        )
    file = place / "key"
    file.touch(0o600)
    file.write_text(account["api_key"])
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PELION_", "MBED_CLOUD_SDK_"))
    }
    bench = resources.enter_context(start_bench(place / "bench", [(KIND, None, {})] * boards))
    return World(
        fake=fake,
        arguments=("--bench", f"virtual={bench.socket}", "--backend", f"pelion={fake.url}"),
        environment={
            **environment,
            "PELION_API_KEY_FILE": str(file),
            "HARNESS_STATE_DIR": str(place / "state"),
        },
    )


def run_suites(
    world: World, arguments: Sequence[str], *, deadline: float
) -> subprocess.CompletedProcess[str]:
    """Run ``harness run pelion`` in that world.

    :param arguments: more of them, for pytest.
    """
    command = [sys.executable, "-m", "harness.cli", "run", "pelion", *world.arguments, *arguments]
    return subprocess.run(
        command, env=world.environment, capture_output=True, text=True, timeout=deadline, check=False
    )


if __name__ == "__main__":
    with ExitStack() as held:
        done = run_suites(make_world(held, boards=4), sys.argv[1:], deadline=900)
        sys.stdout.write(done.stdout)
        sys.stderr.write(done.stderr)
        sys.exit(done.returncode)
