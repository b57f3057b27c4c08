"""Registrations end with their lifetime, by the time of their account (pelion fact sheet, section 6.3)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from harness_pelion.fake.clock import Clock

LONGEST_SECONDS = 365 * 24 * 3600 * 20
"""The longest lifetime that is counted: what is longer ends then."""

_LONGEST_TIMER = 24 * 3600.0
"""Seconds; an event loop refuses timers that are very long, so a longer one is set again."""


@dataclass(slots=True)
class _Life:
    account_id: str
    end: datetime
    timer: asyncio.TimerHandle


class Lifetimes:
    """What lives, and until when."""

    def __init__(self, clock: Clock, ended: Callable[[str], object]) -> None:
        """Watch nothing yet.

        :param clock: tells the time; whoever shifts it lets lifetimes end at once.
        :param ended: called with the name of what lived too long; it is watched no more by then.
        """
        self._clock = clock
        self._ended = ended
        self._lives: dict[str, _Life] = {}
        clock.on_shift(self._shifted)

    def start(self, name: str, account_id: str, seconds: int) -> None:
        """Let something live from now on, also when it lived before.

        :param seconds: how long, by the account's time.
        """
        self.stop(name)
        end = self._clock.now(account_id) + timedelta(seconds=min(seconds, LONGEST_SECONDS))
        self._lives[name] = _Life(account_id, end, self._timer(name, account_id, end))

    def stop(self, name: str) -> None:
        """Watch something no more."""
        life = self._lives.pop(name, None)
        if life is not None:
            life.timer.cancel()

    def close(self) -> None:
        """Watch nothing any more."""
        for name in list(self._lives):
            self.stop(name)

    def _timer(self, name: str, account_id: str, end: datetime) -> asyncio.TimerHandle:
        left = (end - self._clock.now(account_id)).total_seconds()
        delay = min(max(left, 0.0), _LONGEST_TIMER)
        return asyncio.get_running_loop().call_later(delay, self._look, name)

    def _look(self, name: str) -> None:
        """See whether a life is over; a timer may ring early, or before a lifetime that was prolonged."""
        life = self._lives.get(name)
        if life is None:
            return
        life.timer.cancel()
        if self._clock.now(life.account_id) >= life.end:
            del self._lives[name]
            self._ended(name)
        else:
            life.timer = self._timer(name, life.account_id, life.end)

    def _shifted(self, account_id: str) -> None:
        for name, life in list(self._lives.items()):
            if life.account_id == account_id:
                self._look(name)
