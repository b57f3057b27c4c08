"""Break: each port of the host is opened to see what it is."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from harness.inventory import serial_ports
from tests.breaks.support.patching import existing, replaces

TITLE = "each port of the host is opened to see what it is"
NOTICED_BY = (
    "tests/virtual/usb/test_strangers.py::test_commands_leave_strangers_alone",
    "tests/virtual/usb/test_strangers.py::test_session_leaves_strangers_alone",
)
ABOUT = r"what_strangers_heard"


before = existing(serial_ports, "list_serial_ports")


@replaces(serial_ports, "list_serial_ports")
def list_serial_ports() -> Any:
    """Try each port."""
    found = before()
    for port in found:
        with suppress(OSError):
            os.close(os.open(port.device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))
    return found
