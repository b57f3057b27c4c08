"""Break: the port on USB interface 2 is taken for the one on interface 0."""

from __future__ import annotations

from typing import Any

from harness.inventory.usb_devices import UsbDevice
from tests.breaks.support.patching import replaces

TITLE = "the port on USB interface 2 is taken for the one on interface 0"
NOTICED_BY = (
    "tests/inventory/test_usb_devices.py::test_interface_is_a_number_and_no_position",
    "tests/inventory/test_rig_matching.py::test_interface_that_the_file_says",
)
ABOUT = r"board.endpoints == \{\}|ttyACM-1-1-2"


@replaces(UsbDevice, "interfaces")
def interfaces(self: UsbDevice, expected: Any) -> Any:
    """Count the ports that are there."""
    return dict(zip(sorted(set(expected)), self.ports, strict=False))
