"""Break: the service does not send the attributes of a signing request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import command_queue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from harness_nordic.enums import CommandType
    from harness_nordic.fake.wire import DeviceCommand

TITLE = "the service does not send the attributes of a signing request"
EXPECTED = ("test_commands.py::test_certificate_signing_request",)
ABOUT = r"CN=board-1"

before = existing(command_queue, "device_commands")


@replaces(command_queue, "device_commands")
def device_commands(
    command_type: CommandType, fields: Mapping[str, Any], identifier: str
) -> tuple[DeviceCommand, ...]:
    """Ask for a request with the usual subject."""
    return tuple(before(command_type, {**fields, "attributes": ""}, identifier))
