"""Port 22 and link-local addresses, as real devices have them, in a network that a test makes for itself.

Without being root: a user namespace may make a network namespace, and there everything may be done. Nothing
of it is seen outside. Where the host allows no user namespaces these tests are skipped, which in CI is a
failure as every skip is: CI has to allow them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.measuring import unmeasured

pytestmark = pytest.mark.namespaces

REPOSITORY = Path(__file__).parents[3]
UNSHARE = ("unshare", "--map-root-user", "--net", "--")
INSIDE = "tests.pelion.namespaces.inside"
SECONDS = 120.0


@pytest.fixture(scope="module", autouse=True)
def _allowed() -> None:
    """Skip where no network can be made: what makes one, and the cable in it, says why."""
    trial = (
        "ip link set lo up && ip link add name one type veth peer name two"
        " && ip link set one addrgenmode none up && ip address add fe80::1/64 dev one nodad"
    )
    try:
        done = subprocess.run(
            [*UNSHARE, "sh", "-c", trial], capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except FileNotFoundError:
        pytest.skip("no program 'unshare' (package util-linux)")
    if done.returncode:
        pytest.skip(f"this host lets no user make a network: {done.stderr.strip()}")


@pytest.mark.parametrize("scenario", ["loopback", "link-local"])
def test_device_at_port_22(scenario: str, tmp_path: Path) -> None:
    """By command lines alone: selected without a port, or found by its name on the link, and provisioned."""
    environment = {
        name: value for name, value in unmeasured(os.environ).items() if not name.startswith("PELION_")
    }

    done = subprocess.run(
        [*UNSHARE, sys.executable, "-m", INSIDE, scenario, str(tmp_path)],
        cwd=REPOSITORY,
        env={**environment, "PYTHONWARNINGS": "error"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )

    assert done.returncode == 0, done.stdout + done.stderr
