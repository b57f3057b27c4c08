"""Break: the service does not delete an earlier key before it has one made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import command_queue
from harness_nordic.fake.command_mapping import KEYGEN_OUTPUTS
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from harness_nordic.enums import CommandType
    from harness_nordic.fake.wire import DeviceCommand

TITLE = "the service does not delete an earlier key before it has one made"
EXPECTED = ("test_commands.py::test_signing_request_replaces_the_key",)
ABOUT = r"SUCCEEDED"

before = existing(command_queue, "device_commands")


@replaces(command_queue, "device_commands")
def device_commands(
    command_type: CommandType, fields: Mapping[str, Any], identifier: str
) -> tuple[DeviceCommand, ...]:
    """Leave the deletion out."""
    steps: tuple[DeviceCommand, ...] = before(command_type, fields, identifier)
    return steps[-1:] if command_type in KEYGEN_OUTPUTS else steps
