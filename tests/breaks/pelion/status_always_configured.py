"""Break: the utility says of every device that it is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.virtual import util
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from datetime import datetime

    from harness_pelion.virtual.kcm import Kcm

TITLE = "the utility says of every device that it is configured"
EXPECTED = (
    "test_status.py::test_blank_device",
    "test_injection.py::test_developer_file_is_missing[*ENDPOINT_NAME*",
)
ABOUT = r"configured"


@replaces(util, "verify")
def verify(kcm: Kcm, now: datetime, *, production: bool = False) -> None:
    """Be content."""
