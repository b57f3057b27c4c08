"""What clients of the management API see of devices and commands.

The records tell all that the fake knows, in its own words; here the choices decide how much of it is shown,
and in which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from harness_nordic.enums import CommandStatus
from harness_nordic.fake.paging import page_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from harness_nordic.fake.choices import Choices
    from harness_nordic.fake.commands import Command
    from harness_nordic.fake.records import ClaimedDevice

_SURE = ("id", "status", "response")
"""What clients are known to read of a command (nrfcloud fact sheet, section 2.8)."""


def shown_device(device: ClaimedDevice, choices: Choices) -> dict[str, Any]:
    """Return a claimed device as the API shows it (section 2.5)."""
    shown = device.to_json()
    if not choices.block_shown:
        shown["status"] = device.queue.device_status.value
    return shown


def shown_command(command: Command, choices: Choices) -> dict[str, Any]:
    """Return a command as the API shows it (section 2.8)."""
    shown = command.to_json()
    if command.status is CommandStatus.IN_PROGRESS and not choices.in_progress_shown:
        shown["status"] = CommandStatus.PENDING.value
    elif choices.titled_statuses and not command.open:
        shown["status"] = shown["status"].title()
    if choices.brief_commands:
        return {name: shown[name] for name in _SURE if name in shown}
    return shown


def created_command(command: Command, choices: Choices) -> dict[str, Any]:
    """Return what the API answers when a command was made; only the id is sure to be there (section 2.8)."""
    return {"id": command.id} if choices.brief_commands else shown_command(command, choices)


def listed(request: Request, items: Sequence[tuple[int, dict[str, Any]]], choices: Choices) -> Response:
    """Answer with a list: with the page of it that a request asks for, or with all of it (section 2.1).

    :param items: see :func:`~harness_nordic.fake.paging.page_of`.
    :raises BadRequest: the query asks for no page that could be.
    """
    if choices.plain_lists:
        return JSONResponse([item for _number, item in items])
    return page_of(request, items)
