"""Break: a device is configured without its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.virtual import fcc
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from datetime import datetime

    from harness_pelion.virtual.fcc import _Mode
    from harness_pelion.virtual.kcm import Kcm

TITLE = "a device is configured without its key"
EXPECTED = ("test_status.py::test_item_is_missing[mbed.BootstrapDevicePrivateKey]",)
ABOUT = r"status.configured"

before = existing(fcc, "_check_device_certificate")


@replaces(fcc, "_check_device_certificate")
def _check_device_certificate(kcm: Kcm, mode: _Mode, now: datetime, *, production: bool) -> None:
    """Have nothing to compare with."""
    if kcm.get(mode.key) is not None:
        before(kcm, mode, now, production=production)
