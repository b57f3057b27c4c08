"""Asking a component who it is: by one command that reads, and by nothing that changes the board.

What counts is the hardware's own serial number. The hardware id that Guardian knows is the same for life
(guardian fact sheet, section 1.1), but it is what somebody told the agent, and tests tell it others: it
counts only for an agent that knows no serial number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.errors import ConsoleTimeout
from harness_guardian.driver_console import ConsoleLink
from harness_guardian.driver_models import AgentRefused, read_identity

if TYPE_CHECKING:
    from harness.console import Console

#: How often it is asked: what somebody has half typed spoils the first time, a boot perhaps the second.
ATTEMPTS = 3
REPLY_SECONDS = 1.5

_BLANK = re.compile(r"\s+")


def identify(console: Console) -> str | None:
    """Ask for the serial number.

    :param console: a console of what may be a component.
    :return: it, or the hardware id, with ``_`` for blanks; ``None`` when what answers gives neither.
    :raises ConsoleTimeout: nothing answered the last time that it was asked.
    """
    link = ConsoleLink(lambda: console, console.name)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            fields = link.run(["identify"], timeout=REPLY_SECONDS).fields()
        except AgentRefused:
            continue
        except ConsoleTimeout:
            if attempt == ATTEMPTS:
                raise
            continue
        identity = read_identity(fields)
        known = identity.serial or identity.hw_id
        return None if known is None else _BLANK.sub("_", known)
    return None
