"""Break: all ports that show one serial number are those of one board."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.inventory import attached, finding
from tests.breaks.support.patching import existing, replaces

TITLE = "all ports that show one serial number are those of one board"
NOTICED_BY = ("tests/inventory/test_rig_matching.py::test_swapped_boards_get_each_others_entries_right[*]",)
ABOUT = r"consoles\(found\)"


before = existing(attached, "usb_devices")


@replaces(attached, "usb_devices")
@replaces(finding, "usb_devices")
def usb_devices(ports: Any) -> Any:
    """Put together what shows one serial number."""
    found: dict[str, Any] = {}
    for device in before(ports):
        name = device.serial_number or device.place
        same = found.setdefault(name, device)
        if same is not device:
            found[name] = replace(same, ports=(*same.ports, *device.ports))
    return list(found.values())
