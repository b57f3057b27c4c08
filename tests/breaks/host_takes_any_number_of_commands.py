"""Break: the host executes a batch that is larger than it asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.host_agent import agent, wire
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.host_agent.wire import Command

TITLE = "the host's agent takes more commands than it asked for"
EXPECTED = ("test_agents_in_trouble.py::test_too_many_commands[host]",)
ABOUT = r"FAILED_TOO_MANY_COMMANDS"

before = existing(wire, "decode_commands")


@replaces(agent, "decode_commands")
def decode_commands(body: bytes, *, limit: int) -> list[Command]:
    """Take them all."""
    commands: list[Command] = before(body, limit=limit * 1000)
    return commands
