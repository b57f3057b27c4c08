"""A device that the directory knows whole: the service asks for vendor and class when it has registered."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from harness_pelion.enums import DeviceState

if TYPE_CHECKING:
    from harness_pelion.client import PelionClient
    from harness_pelion.client_models import Device


def described_device(account: PelionClient, certificate_id: str, seconds: float) -> Device:
    """Wait until the device of a certificate is registered, and described; return it as it is then.

    :param seconds: for each of both; a device that has not been described by then is returned as it is.
    """
    device = account.wait_for_device(ca_id=certificate_id, state=DeviceState.REGISTERED, timeout=seconds)
    deadline = time.monotonic() + seconds
    while not device.device_class and time.monotonic() < deadline:
        threading.Event().wait(0.02)  # the directory tells nobody
        device = account.device(device.id)
    return device
