"""Break: the service writes under the tag beside the one that was named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import command_queue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from harness_nordic.enums import CommandType
    from harness_nordic.fake.wire import DeviceCommand

TITLE = "the service writes under the tag beside the one that was named"
EXPECTED = (
    "test_commands.py::test_server_certificate",
    "test_commands.py::test_client_certificate",
    "test_commands.py::test_cloud_access_key",
    "test_commands.py::test_pre_shared_key",
    "test_commands.py::test_client_private_key_generation",
)
ABOUT = r"held|SUCCEEDED"

before = existing(command_queue, "device_commands")


@replaces(command_queue, "device_commands")
def device_commands(
    command_type: CommandType, fields: Mapping[str, Any], identifier: str
) -> tuple[DeviceCommand, ...]:
    """Count one too far."""
    moved = {name: value + 1 if name == "secTag" else value for name, value in fields.items()}
    return tuple(before(command_type, moved, identifier))
