"""Break: as many devices as come may use a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.directory import Directory
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from datetime import datetime

    from harness_pelion.fake.records import Account, DeveloperCertificate

TITLE = "a certificate may be used by more devices than the limit"
EXPECTED = (
    "test_reuse.py::test_room_again",
    "test_reuse.py::test_another_certificate_has_room",
)
ABOUT = r"failed"


@replaces(Directory, "check_room")
def check_room(
    self: Directory,
    account: Account,
    certificate: DeveloperCertificate,
    *,
    now: datetime,
    reserved: int = 0,
) -> None:
    """Have room for everybody."""
