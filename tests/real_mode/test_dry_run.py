"""A dry run shows what a run would make in a service, and makes nothing."""

from __future__ import annotations

from contextlib import ExitStack

from harness.backends.http import ServiceHttp
from tests.real_mode.contrarian import KEY, make_world

DEADLINE = 120.0


def test_ends_where_something_would_change() -> None:
    """Every test that would claim ends there and says so; the service has no device afterwards."""
    with ExitStack() as resources:
        world = make_world(resources, boards=1)

        done = world.run_suites(["--backend-dry-run", "-k", "test_blocking or test_nonce"], deadline=DEADLINE)

        with ServiceHttp(world.fake.url, headers={"Authorization": f"Bearer {KEY}"}) as service:
            claimed = service.request("GET", "/v1/claimed-devices", operation="list", accept={200}).json()
    lines = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED") and "dry run" in line]
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" not in done.stdout.splitlines()[-1]
    assert any(
        "test_blocking.py" in line and "would call ClaimDeviceOwnership: POST" in line for line in lines
    )
    assert any("to prove: fetch 403 while blocked" in line for line in lines)
    assert any("uses no service" in line for line in lines)
    assert claimed == []
