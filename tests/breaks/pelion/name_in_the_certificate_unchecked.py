"""Break: a device is configured under another name than its certificate's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.virtual import fcc
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from datetime import datetime

    from harness_pelion.virtual.fcc import _Mode
    from harness_pelion.virtual.kcm import Kcm

TITLE = "a device is configured under another name than its certificate's"
EXPECTED = ("test_status.py::test_another_endpoint_name",)
ABOUT = r"status.configured"

before = existing(fcc, "_check_device_certificate")


@replaces(fcc, "_check_device_certificate")
def _check_device_certificate(kcm: Kcm, mode: _Mode, now: datetime, *, production: bool) -> None:
    """Let the name pass."""
    try:
        before(kcm, mode, now, production=production)
    except fcc.NotConfigured as reason:
        if not str(reason).startswith(fcc.WRONG_NAME):
            raise
