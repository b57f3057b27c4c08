"""Break: a device is configured with an address that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.virtual import fcc
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_pelion.enums import Item
    from harness_pelion.virtual.kcm import Kcm

TITLE = "a device is configured with any address of the bootstrap server"
EXPECTED = (
    "test_status.py::test_server_address[https]",
    "test_status.py::test_server_address[without aid]",
    "test_status.py::test_server_address[another parameter]",
)
ABOUT = r"status.configured"


@replaces(fcc, "_check_uri")
def _check_uri(kcm: Kcm, item: Item) -> None:
    """See that there is one."""
    fcc._existing(kcm, item)
