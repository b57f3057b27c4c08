"""A session of Pelion's suites against the contrarian fake, as if it were a service elsewhere.

The fake decides every unknown the other way. The session knows of it what it would know of the real service:
an address and an API key, in a file that only its owner may read. Run as a module it runs all suites.
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

KIND = "mbl-device-virtual"
BOARDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(World):
    """An account of a fake that stands for a service elsewhere, and a session's way to it."""

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


def make_world(resources: ExitStack) -> Account:
    """Start the fake and a bench, and write down what the session may know.

    :param resources: ends it all.
    """
    fake, place = start_contrarian(resources, "pelion")
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
    bench = resources.enter_context(start_bench(place / "bench", [(KIND, None, {})] * BOARDS))
    return Account(
        fake=fake,
        arguments=("--bench", f"virtual={bench.socket}", "--backend", f"pelion={fake.url}"),
        environment={
            **environment_without("PELION_", "MBED_CLOUD_SDK_"),
            "PELION_API_KEY_FILE": private_file(place, "key", account["api_key"]),
            "HARNESS_STATE_DIR": str(place / "state"),
        },
    )


if __name__ == "__main__":
    sys.exit(run_as_command(make_world))
