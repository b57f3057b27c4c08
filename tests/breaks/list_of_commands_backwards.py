"""Break: commands are listed with the newest first."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.commands import Command

TITLE = "commands are listed with the newest first"
EXPECTED = ("test_command_control.py::test_list_in_pages",)
ABOUT = r"made|items"

before = existing(CommandQueue, "commands")


@replaces(CommandQueue, "commands")
def commands(self: CommandQueue) -> list[Command]:
    """Turn the list round; its numbers with it, or no page would follow another."""
    listed: list[Command] = before(self)
    return [dataclasses.replace(command, sequence=number) for number, command in enumerate(listed[::-1], 1)]
