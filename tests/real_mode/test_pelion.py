"""Pelion's suites assert nothing of a service elsewhere that nobody knows, and leave nothing there."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tests.real_mode.pelion_contrarian import make_world

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE = 600.0
FEWEST_PASSED = 30
#: Enough of every kind; ``python -m tests.real_mode.pelion_contrarian -n auto`` runs all of them.
CHOSEN = (
    "test_api or test_evidence or test_unknown_certificate or test_another_endpoint_name"
    " or test_another_certificate or test_device_is_deleted or test_certificate_is_deleted"
    " or test_api_key or test_unknown_device or test_delete or test_registered_again or test_utility"
    " or test_without_bootstrap or test_developer_certificate_at_the_wrong_server"
)


def test_suites_against_the_contrarian_fake(tmp_path: Path) -> None:
    """With a key of the environment everything passes or needs what a service elsewhere may not have."""
    results = tmp_path / "junit.xml"
    with ExitStack() as resources:
        world = make_world(resources)

        done = world.run_suites(["-n", "auto", "-k", CHOSEN, f"--junitxml={results}"], deadline=DEADLINE)

        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        left = world.left()
        assert (left["trusted-certificates"], left["devices"]) == ([], [])
        assert len(left["api-keys"]) == 1
    cases = list(ET.parse(results).iter("testcase"))  # noqa: S314 - pytest wrote it just now
    skipped = [skip.get("message", "") for case in cases for skip in case.iter("skipped")]
    assert len(cases) - len(skipped) >= FEWEST_PASSED
    unknown = "backend pelion (url) cannot be asked for: "
    assert [reason for reason in skipped if not reason.startswith((unknown, "no board"))] == []
