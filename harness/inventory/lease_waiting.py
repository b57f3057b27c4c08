"""What a user is told who waits for boards that others hold."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.inventory.lease_records import Holder

FIRST_SILENCE_SECONDS = 10.0
MOST_SILENCE_SECONDS = 60.0


def describe_busy(holders: Mapping[str, Holder | None]) -> str:
    """Say in one line who holds which boards.

    :param holders: by id of the board; ``None``: whoever held it has just let it go.
    """
    groups: dict[str, list[str]] = {}
    for board_id, found in sorted(holders.items()):
        what = board_id if found is None or found.test is None else f"{board_id} (in {found.test})"
        who = "somebody who let go just now" if found is None else str(replace(found, test=None))
        groups.setdefault(who, []).append(what)
    return "; ".join(
        f"board{'s' if len(boards) > 1 else ''} {', '.join(boards)}"
        f" {'are' if len(boards) > 1 else 'is'} leased by {who}"
        for who, boards in groups.items()
    )


class Wait:
    """How long a session has waited, and what its user was told of it.

    :ivar silence: seconds after which it is time to tell again.
    """

    def __init__(self, deadline: float, tell: Callable[[str], None]) -> None:
        """Begin to wait.

        :param deadline: seconds to wait at most.
        :param tell: called with a line for the user.
        """
        self.silence = FIRST_SILENCE_SECONDS
        self._deadline = deadline
        self._tell = tell
        self._began = time.monotonic()
        self._told_at: float | None = None
        self._told: set[str] = set()

    @property
    def left(self) -> float:
        """Seconds until the deadline; negative when it has passed."""
        return self._began + self._deadline - time.monotonic()

    def tell(self, holders: Mapping[str, Holder | None]) -> None:
        """Say who holds what: at first, when more boards are held, and then ever more rarely.

        :param holders: who holds each board that is not free, by the board's id.
        """
        now = time.monotonic()
        if self._told_at is None:
            so_far = f"{self._deadline:g} s at most"
        elif holders.keys() <= self._told and now - self._told_at < self.silence:
            return
        else:
            so_far = f"{now - self._began:.0f} of {self._deadline:g} s"
            self.silence = min(2 * self.silence, MOST_SILENCE_SECONDS)
        self._told_at, self._told = now, set(holders)
        self._tell(f"waiting for boards, {so_far}: {describe_busy(holders)}")

    def tell_end(self) -> None:
        """Say that it is over, if anybody was told that it began."""
        if self._told_at is not None:
            self._tell(f"the boards are free, after {time.monotonic() - self._began:.1f} s")
