"""One provisioning command of the management API, and the steps that a device makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness_nordic.enums import CommandStatus
from harness_nordic.fake.wire import encode_commands

if TYPE_CHECKING:
    from harness_nordic.enums import CommandType
    from harness_nordic.fake.wire import DeviceCommand

_OPEN = frozenset({CommandStatus.PENDING, CommandStatus.IN_PROGRESS})


@dataclass(slots=True, kw_only=True)
class Command:
    """One provisioning command (nrfcloud fact sheet, section 2.8).

    :ivar sequence: counts the commands of one claim, those that are gone included.
    :ivar served: whether the device ever got it, so that it may name it in a report or in ``after``.
    :ivar encoded: the steps as they are served.
    :ivar step_ids: correlation ids of the steps.
    :ivar longest_text: bytes that the longest AT command takes in the device's buffer.
    """

    id: str
    sequence: int
    type: CommandType
    fields: dict[str, Any]
    description: str
    created_at: str
    steps: tuple[DeviceCommand, ...]
    status: CommandStatus = CommandStatus.PENDING
    response: dict[str, Any] | None = None
    served: bool = False
    encoded: bytes = field(init=False)
    step_ids: tuple[str, ...] = field(init=False)
    longest_text: int = field(init=False)

    def __post_init__(self) -> None:
        """Encode and measure the steps once: every fetch needs that."""
        self.encoded = encode_commands(self.steps)[1:]  # without the head of the array
        self.step_ids = tuple(step.id for step in self.steps)
        self.longest_text = max(step.text_length for step in self.steps)

    @property
    def main_step(self) -> DeviceCommand:
        """The step whose outcome is the command's outcome."""
        return self.steps[-1]

    @property
    def open(self) -> bool:
        """Whether the device still has to say something of it."""
        return self.status in _OPEN

    def to_json(self) -> dict[str, Any]:
        """Return the command object of the API."""
        data: dict[str, Any] = {
            "id": self.id,
            "description": self.description,
            "request": {self.type.value: self.fields},
            "status": self.status.value,
            "createdAt": self.created_at,
        }
        if self.response is not None:
            data["response"] = self.response
        return data
