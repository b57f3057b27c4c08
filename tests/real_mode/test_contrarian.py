"""The suites assert nothing of the real service that nobody knows."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tests.real_mode.contrarian import make_world

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE = 600.0
FEWEST_PASSED = 170


def test_suites_against_the_contrarian_fake(tmp_path: Path) -> None:
    """In real mode, over TLS, everything passes or needs what the real service is not known to have."""
    results = tmp_path / "junit.xml"
    with ExitStack() as resources:
        world = make_world(resources)

        done = world.run_suites(["-n", "auto", f"--junitxml={results}"], deadline=DEADLINE)

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    cases = list(ET.parse(results).iter("testcase"))  # noqa: S314 - pytest wrote it just now
    skipped = [skip.get("message", "") for case in cases for skip in case.iter("skipped")]
    assert len(cases) - len(skipped) >= FEWEST_PASSED
    unknown = "backend nrfcloud (real) cannot be asked for: "
    assert [
        reason for reason in skipped if not reason.startswith((unknown, "no board", "the firmware"))
    ] == []
