"""Break: the identity of a pre-shared key is not written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import CommandType
from harness_nordic.fake import command_queue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from harness_nordic.fake.wire import DeviceCommand

TITLE = "the identity of a pre-shared key is not written"
EXPECTED = ("test_commands.py::test_pre_shared_key",)
ABOUT = r"PSK_IDENTITY"

before = existing(command_queue, "device_commands")


@replaces(command_queue, "device_commands")
def device_commands(
    command_type: CommandType, fields: Mapping[str, Any], identifier: str
) -> tuple[DeviceCommand, ...]:
    """Write the key alone."""
    steps: tuple[DeviceCommand, ...] = before(command_type, fields, identifier)
    return steps[-1:] if command_type is CommandType.PRE_SHARED_KEY else steps
