"""Break: a device that is one too many is refused, and nothing tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.enums import EventType
from harness_pelion.fake.directory import Directory
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from datetime import datetime

    from harness_pelion.fake.records import Account, DeveloperCertificate

TITLE = "nothing tells that a device was refused"
EXPECTED = ("test_reuse.py::test_hundred_devices",)
ABOUT = r"refused"

before = existing(Directory, "check_room")


@replaces(Directory, "check_room")
def check_room(
    self: Directory,
    account: Account,
    certificate: DeveloperCertificate,
    *,
    now: datetime,
    reserved: int = 0,
) -> None:
    """Refuse in silence."""
    try:
        before(self, account, certificate, now=now, reserved=reserved)
    finally:
        account.events[:] = [event for event in account.events if event.kind != EventType.REFUSAL]
