"""A session of Guardian's suites against the contrarian fake, as if it were a service elsewhere.

The fake decides every unknown the other way. The session knows of it what it would know of the real service:
an address and tokens, in files that only their owner may read. Run as a module it runs all suites.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.backends.http import ServiceHttp
from harness.virtual.launcher import start_bench
from tests.real_mode.elsewhere import (
    World,
    environment_without,
    private_file,
    run_as_command,
    start_contrarian,
)

if TYPE_CHECKING:
    from contextlib import ExitStack

KIND = "guardian-component-virtual"
BOARDS = 4
#: The variables of the users that every organisation of a fake has.
VARIABLES = {
    "anna": "GUARDIAN_TOKEN",
    "bert": "GUARDIAN_OTHER_ADMIN_TOKEN",
    "rita": "GUARDIAN_REPORTER_TOKEN",
    "liam": "GUARDIAN_LIMITED_TOKEN",
    "lena": "GUARDIAN_OTHER_LIMITED_TOKEN",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation(World):
    """An organisation of a fake that stands for a service elsewhere, and a session's way to it."""

    def systems(self) -> list[dict[str, Any]]:
        """Return the systems that the organisation has now."""
        token = Path(self.environment["GUARDIAN_TOKEN_FILE"]).read_text().strip()
        with ServiceHttp(self.fake.url, headers={"Authorization": f"Bearer {token}"}) as service:
            answer = service.request("GET", "/api/v1/systems", operation="list", accept={200})
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


def make_world(resources: ExitStack) -> Organisation:
    """Start the fake and a bench, and write down what the session may know.

    :param resources: ends it all.
    """
    fake, place = start_contrarian(resources, "guardian")
    with ServiceHttp("http://fake", socket=fake.control) as control:
        wanted = {"name": "hospital"}
        answer = control.request("POST", "/organisations", operation="make", accept={200, 201}, json=wanted)
    tokens = {
        f"{VARIABLES[user['name']]}_FILE": private_file(place, user["name"], user["token"])
        for user in answer.json()["users"]
    }
    bench = resources.enter_context(start_bench(place / "bench", [(KIND, None, {})] * BOARDS))
    return Organisation(
        fake=fake,
        arguments=("--bench", f"virtual={bench.socket}", "--backend", f"guardian={fake.url}"),
        environment={
            **environment_without("GUARDIAN_"),
            **tokens,
            "HARNESS_STATE_DIR": str(place / "state"),
        },
    )


if __name__ == "__main__":
    sys.exit(run_as_command(make_world))
