"""Break: the service writes a client certificate as a root CA."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import CommandType
from harness_nordic.fake import command_queue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from harness_nordic.fake.wire import DeviceCommand

TITLE = "the service writes a client certificate as a root CA"
EXPECTED = ("test_commands.py::test_client_certificate",)
ABOUT = r"CLIENT_CERT"

before = existing(command_queue, "device_commands")


@replaces(command_queue, "device_commands")
def device_commands(
    command_type: CommandType, fields: Mapping[str, Any], identifier: str
) -> tuple[DeviceCommand, ...]:
    """Take every certificate for a root."""
    if command_type is CommandType.CLIENT_CERTIFICATE:
        command_type = CommandType.SERVER_CERTIFICATE
    return tuple(before(command_type, fields, identifier))
