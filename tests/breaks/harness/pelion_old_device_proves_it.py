"""Break: a device that was there before counts as the one that was provisioned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion import evidence
from harness_pelion.evidence import Before
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_pelion.client_models import Device
    from harness_pelion.driver_models import ClientLogView

TITLE = "what was in the directory before proves a provisioning"
NOTICED_BY = ("tests/pelion/test_evidence.py::test_what_was_there_before_proves_nothing*",)
ABOUT = r"assert"

before_it = existing(evidence, "_device_of")


@replaces(evidence, "_device_of")
def _device_of(
    log: ClientLogView, devices: Sequence[Device], before: Before
) -> tuple[Device | None, list[str]]:
    """Forget what was there."""
    found: tuple[Device | None, list[str]] = before_it(log, devices, Before())
    return found
