"""What there is to say of the boards of a session: who went, came back, came late or has to be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.inventory.board import Board


@dataclass(frozen=True, slots=True)
class Lost:
    """A board of the session went away.

    :ivar board_id: its identity.
    :ivar reason: what was seen.
    """

    board_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A board that was lost is there again.

    :ivar board: the board, with its endpoints where they are now.
    """

    board: Board


@dataclass(frozen=True, slots=True)
class Joined:
    """A board that was plugged in late is one that the session may use.

    :ivar board: the board.
    """

    board: Board


@dataclass(frozen=True, slots=True)
class Refused:
    """A device that was asked is no board that the session may use.

    :ivar board: the board as far as it is known.
    :ivar reason: what keeps it out.
    """

    board: Board
    reason: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody has to ask a board who it is, and to hand the answer to ``Presence.answered``.

    :ivar number: number of the question, which the answer names. A device that goes away takes its question
        with it: what is answered to that later counts for nobody.
    :ivar candidate: the board, as far as it is known.
    """

    number: int
    candidate: Board


#: What a session is told.
News = Lost | Returned | Joined | Refused
#: What follows from an event.
Change = News | Ask
