"""What may be done to bring back a board that does not answer: one rung of the ladder each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Rung(IntEnum):
    """How much a step does to a board; the gentlest is tried first.

    There is room between them for a vendor's own.
    """

    NUDGE = 10  # something that a board hears which only seems dead: a line end, a break
    RESET = 20  # its processor begins anew
    POWER = 30  # all of it begins anew
    REWRITE = 40  # its firmware is written anew


#: How long a step may take that does not say it.
STEP_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryStep:
    """One thing that may bring a board back.

    :ivar name: what it is, as in "recovered by ...": ``a power cycle``.
    :ivar rung: a :class:`Rung`, or a number between two.
    :ivar action: does it; what it raises means that it could not be done.
    :ivar seconds: how long doing it may take.
    :ivar by_console: it is an order over the board's own console, which a board does not hear that was silent
        from the beginning.
    :ivar settles: how long the board may take afterwards until it answers; it is asked again and again.
    """

    name: str
    rung: int
    action: Callable[[], None]
    seconds: float = STEP_SECONDS
    settles: float = 10.0
    by_console: bool = False
