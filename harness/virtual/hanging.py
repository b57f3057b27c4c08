"""Firmware that stands still: it hears nothing and says nothing, though power and ports are there.

It is no fault that a test orders and that ends with the test: it is what a real board does by itself, and
what a session has to notice and to mend. So :meth:`HostedBoard.clear_faults` leaves it as it is.
"""

from __future__ import annotations

from typing import Final

RESET: Final = "reset"
POWER: Final = "power"
NEVER: Final = "never"
#: What may end it: a pulse on the reset line or a power cycle; a power cycle alone; nothing.
ENDS = (RESET, POWER, NEVER)


class Hang:
    """Whether a board's firmware stands still.

    :ivar until: what ends it, one of :data:`ENDS`; ``None``: it runs.
    """

    def __init__(self) -> None:
        """Let it run."""
        self.until: str | None = None

    def begin(self, until: str) -> None:
        """Let it stand still from now on.

        :raises ValueError: there is no such end.
        """
        if until not in ENDS:
            raise ValueError(f"until is {until!r}; expected one of {', '.join(map(repr, ENDS))}")
        self.until = until

    def reset(self) -> bool:
        """The reset line was pulsed; tell whether that ended it."""
        ended = self.until == RESET
        if ended:
            self.until = None
        return ended

    def lose_power(self) -> None:
        """The supply is off."""
        if self.until != NEVER:
            self.until = None
