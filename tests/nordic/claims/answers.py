"""Literal answers of the management API."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.nordic.paper_device import PaperDevice


def claimed_answer(device: PaperDevice, claimed_at: str) -> bytes:
    """Return the device object of the fact sheet (2.5)."""
    return json.dumps(
        {
            "id": device.id,
            "deviceType": "nrf9160_SICA",
            "firmwareId": "25c95751-efa4-40d4-8b4a-1dcaab81fac9",
            "imei": device.imei,
            "ownerId": "11111111-2222-4333-8444-555555555555",
            "ownershipStatus": "IDENTIFIED",
            "tags": [],
            "status": "READY",
            "claimedAt": claimed_at,
        }
    ).encode()


def now(shift: float = 0.0) -> str:
    """Return the time as the API writes it."""
    return (
        datetime.fromtimestamp(time.time() + shift, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
