"""A session of Guardian's suites against the contrarian fake, as if it were a service elsewhere.

The fake decides every unknown the other way. The session knows of it what it would know of the real service:
an address and tokens, in files that only their owner may read. Run as a module it runs all suites.
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

KIND = "guardian-component-virtual"
#: The variables of the users that every organisation of a fake has.
VARIABLES = {
    "anna": "GUARDIAN_TOKEN",
    "bert": "GUARDIAN_OTHER_ADMIN_TOKEN",
    "rita": "GUARDIAN_REPORTER_TOKEN",
    "liam": "GUARDIAN_LIMITED_TOKEN",
    "lena": "GUARDIAN_OTHER_LIMITED_TOKEN",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the session is given.

    :ivar fake: the contrarian fake, with the control socket that the session does not get.
    :ivar organisation: name of the organisation whose users the session is.
    :ivar arguments: of pytest.
    :ivar environment: of the session.
    """

    fake: Backend
    organisation: str
    arguments: tuple[str, ...]
    environment: dict[str, str]

    def systems(self) -> list[dict[str, Any]]:
        """Return the systems that the organisation has now."""
        token = Path(self.environment["GUARDIAN_TOKEN_FILE"]).read_text().strip()
        with ServiceHttp(self.fake.url, headers={"Authorization": f"Bearer {token}"}) as service:
            answer = service.request("GET", "/api/v1/systems", operation="list", accept={200})
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


def make_world(resources: ExitStack, *, boards: int = 2) -> World:
    """Start the fake and a bench, and write down what the session may know.

    :param resources: ends it all.
    """
    spec = known_backends(load_plugins())["guardian"]
    place = Path(
        resources.enter_context(tempfile.TemporaryDirectory(prefix="real-", dir=runtime_directory()))
    )
    served = start_fake(spec, place, lifeline=None, options={"contrarian": "yes"})
    fake = resources.enter_context(served).backend
    with ServiceHttp("http://fake", socket=fake.control) as control:
        wanted = {"name": "hospital"}
        answer = control.request("POST", "/organisations", operation="make", accept={200, 201}, json=wanted)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GUARDIAN_")}
    for user in answer.json()["users"]:
        file = place / user["name"]
        file.touch(0o600)
        file.write_text(user["token"])
        environment[f"{VARIABLES[user['name']]}_FILE"] = str(file)
    bench = resources.enter_context(start_bench(place / "bench", [(KIND, None, {})] * boards))
    return World(
        fake=fake,
        organisation="hospital",
        arguments=("--bench", f"virtual={bench.socket}", "--backend", f"guardian={fake.url}"),
        environment={**environment, "HARNESS_STATE_DIR": str(place / "state")},
    )


def run_suites(
    world: World, arguments: Sequence[str], *, deadline: float
) -> subprocess.CompletedProcess[str]:
    """Run ``harness run guardian`` in that world.

    :param arguments: more of them, for pytest.
    """
    command = [sys.executable, "-m", "harness.cli", "run", "guardian", *world.arguments, *arguments]
    return subprocess.run(
        command, env=world.environment, capture_output=True, text=True, timeout=deadline, check=False
    )


if __name__ == "__main__":
    with ExitStack() as held:
        done = run_suites(make_world(held, boards=4), sys.argv[1:], deadline=900)
        sys.stdout.write(done.stdout)
        sys.stderr.write(done.stderr)
        sys.exit(done.returncode)
