"""When the firmware polls by itself: after a boot, and then at an interval that the service may change.

Source: nrfcloud fact sheet, sections 3.1 (back-off) and 3.6 (``provisioning/interval-sec``). The firmware's
timers can be let run ahead, so that nobody has to wait for them; the modem's clock stays as it is.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from harness_nordic.virtual.firmware_settings import SettingRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.virtual.contract import BoardHost, Timer
    from harness_nordic.virtual.agent_settings import AgentSettings
    from harness_nordic.virtual.firmware_settings import FirmwareSettings

#: The key under which the interval is stored.
INTERVAL_KEY = "provisioning/interval-sec"

_FIRST_BACK_OFF, _LONGEST_BACK_OFF = 60, 86400
_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9A-Fa-f]{1,15}|[0-9]{1,18})")


def read_seconds(text: str) -> int:
    """Return the number that a text begins with, as C reads one: decimal, octal or hexadecimal; else 0."""
    match = _NUMBER.match(text)
    if match is None:
        return 0
    digits = match[2].lower()
    if digits.startswith("0x"):
        number = int(digits, 0)
    elif digits.startswith("0"):
        number = int(re.split("[89]", digits)[0], 8)
    else:
        number = int(digits)
    return -number if match[1] == "-" else number


class PollingSchedule:
    """Starts the agent when it is due. On the loop thread only.

    :ivar polls: how often it has started the agent since the board was made.
    """

    def __init__(
        self,
        host: BoardHost,
        settings: AgentSettings,
        stored: FirmwareSettings,
        start: Callable[[], None],
    ) -> None:
        """Be without power.

        :param host: gives timers.
        :param settings: how the firmware was built: whether it polls, and how often unless it was told.
        :param stored: where the interval is kept.
        :param start: starts the agent.
        """
        self.polls = 0
        self._host = host
        self._settings = settings
        self._stored = stored
        self._start = start
        self._timer: Timer | None = None
        self._due: float | None = None
        self._ahead = 0.0
        self._back_off = 0
        self._powered = False

    @property
    def interval(self) -> int:
        """Seconds between two polls: as they were stored, or as the firmware was built."""
        stored = read_seconds(self._stored.items().get(INTERVAL_KEY, ""))
        return stored if stored > 0 else self._settings.interval

    @property
    def due_in(self) -> float | None:
        """Seconds until the next poll; ``None`` if none is due."""
        return None if self._due is None else max(0.0, self._due - self._now())

    def boot(self) -> None:
        """Poll for the first time as soon as may be."""
        self._powered = True
        self._back_off = 0
        if self._polls_by_itself:
            self._arm(0.0)

    def stop(self) -> None:
        """Lose power."""
        self._powered = False
        self._call_off()

    def changed(self) -> None:
        """The firmware was built otherwise, or was given another interval: it begins now."""
        self._back_off = 0
        self._call_off()
        if self._powered and self._polls_by_itself:
            self._arm(self.interval)

    def started(self) -> None:
        """The agent runs, whoever started it: until it ends nothing is due."""
        self._call_off()

    def ended(self, *, busy: bool) -> None:
        """A run has ended: the next one comes after the interval, or later and later while nobody answers.

        :param busy: the service was too busy to answer, or did not answer in time.
        """
        if not self._polls_by_itself:
            return
        self._back_off = min(self._back_off * 2 or _FIRST_BACK_OFF, _LONGEST_BACK_OFF) if busy else 0
        self._arm(self._back_off or self.interval)

    def set_interval(self, seconds: int) -> None:
        """Keep an interval that was typed; a negative one is ignored.

        :raises PowerLost: the power went meanwhile.
        """
        if seconds < 0 or seconds == self.interval:
            return
        try:
            self._stored.save(INTERVAL_KEY, str(seconds))
        except SettingRefused:
            return
        self.changed()

    def pass_time(self, seconds: float) -> None:
        """Let the firmware's timers run ahead; whatever is due then happens now, once."""
        self._ahead += seconds
        if self._due is not None:
            self._arm(self._due - self._now())

    @property
    def _polls_by_itself(self) -> bool:
        return self._settings.scheduled and self._settings.agent

    def _now(self) -> float:
        return time.monotonic() + self._ahead

    def _arm(self, seconds: float) -> None:
        self._call_off()
        self._due = self._now() + seconds
        self._timer = self._host.call_later(max(0.0, seconds), self._poll)

    def _call_off(self) -> None:
        self._due = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _poll(self) -> None:
        self._call_off()
        self.polls += 1
        self._start()
