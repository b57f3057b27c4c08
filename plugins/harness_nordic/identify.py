"""Asking an nRF91 who it is: by one command that reads, and by nothing that changes the board.

What comes unasked meanwhile, a boot banner, log lines or noise, is told from the answer. Sources: nrfcloud
fact sheet, sections 5.1, 6.1, 6.2 and 7.2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.errors import ConsoleTimeout
from harness_nordic.driver_line import AtLine, ShellComplained

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.console import Console

#: How often it is asked: what somebody has half typed spoils the first time, a boot perhaps the second.
ATTEMPTS = 3
REPLY_SECONDS = 1.5

_COMMAND = "AT+CGSN"
# On one line with it there may be noise; digits of a longer number are none.
_IMEI = re.compile(r"(?<![0-9])[0-9]{15}(?![0-9])")


def identify(console: Console, discipline: str = "") -> str | None:
    """Ask for the IMEI, in whichever discipline the board understands.

    :param console: a console of what may be an nRF91.
    :param discipline: the one that its profile names; it is tried first.
    :return: the IMEI; ``None`` when what answers does not give one.
    :raises ConsoleTimeout: nothing answered the last time that it was asked.
    """
    before: set[str] = set()
    line = AtLine(discipline)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            reply = line.exchange(
                console, _COMMAND, timeout=REPLY_SECONDS, reason="asking a board who it is", shown=_COMMAND
            )
        except ShellComplained:  # there is a shell, but none that asks a modem; or it was in the way of one
            continue
        except ConsoleTimeout:
            if attempt == ATTEMPTS:
                raise
            continue
        found = imeis_in(reply.lines) if reply.final.strip() == "OK" else set()
        # What no check digit vouches for counts when it is said again.
        certain = {imei for imei in found if is_checked(imei)} or found & before
        if len(certain) == 1:
            return certain.pop()
        before = found
    return None


def imeis_in(lines: Iterable[str]) -> set[str]:
    """Return what could be an IMEI in the lines of a reply."""
    return {imei for line in lines for imei in _IMEI.findall(line)}


def is_checked(imei: str) -> bool:
    """Tell whether the last of the fifteen digits is the check digit of the others (Luhn's)."""
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(imei)]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0
