"""Break: the service changes the line ends of what it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import command_queue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from harness_nordic.enums import CommandType
    from harness_nordic.fake.wire import DeviceCommand

TITLE = "the service changes the line ends of what it sends"
EXPECTED = (
    "test_commands.py::test_server_certificate",
    "test_commands.py::test_client_certificate",
    "test_commands.py::test_client_private_key",
)
ABOUT = r"pem_digest"

before = existing(command_queue, "device_commands")


@replaces(command_queue, "device_commands")
def device_commands(
    command_type: CommandType, fields: Mapping[str, Any], identifier: str
) -> tuple[DeviceCommand, ...]:
    """Write CRLF."""
    changed = dict(fields)
    if "content" in changed:
        changed["content"] = changed["content"].replace("\n", "\r\n")
    return tuple(before(command_type, changed, identifier))
