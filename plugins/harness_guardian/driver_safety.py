"""What a driver may change on a component, and what it puts back.

A virtual board is nobody's: everything may be changed. Any other board is somebody's as soon as its agent was
initialised: its keys cannot be read, so nobody could put them back. Such a board is left alone unless
``--allow-destructive`` says otherwise; one that is blank may be used, and is blank again afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BLANK = "blank"

#: Commands of the agent after which keys, certificates or the identity may be others.
CHANGING = frozenset({"complete", "erase", "init", "install", "provision", "request", "submit"})
#: Commands that change one of the agent's files.
WRITING = frozenset({"put", "drop"})
#: Files of another device that a board only carries.
CARRIED = frozenset({"forwarded", "collected"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundState:
    """The agent as it was found.

    :ivar state: what its ``status`` said.
    :ivar service: where it believed the service to be; empty when nobody had told it.
    """

    state: str
    service: str = ""

    def details(self) -> dict[str, str]:
        """Return it as the ledger keeps it; :meth:`from_details` reads it."""
        return {"state": self.state, "service": self.service}

    @classmethod
    def from_details(cls, details: Mapping[str, str]) -> FoundState:
        """Read what another process wrote down.

        :raises UsageError: it cannot be read.
        """
        if "state" not in details:
            raise UsageError("the ledger's account of a board cannot be read: it names no state")
        return cls(state=details["state"], service=details.get("service", ""))


class ChangeGuard:
    """Refuses commands after which somebody else's keys or certificates would be lost.

    :ivar restricted: whether anything is refused at all.
    """

    def __init__(self, board: str, *, restricted: bool) -> None:
        """Guard a board.

        :param board: its id, for messages.
        :param restricted: whether anything is refused at all.
        """
        self._board = board
        self.restricted = restricted

    def check(self, words: Sequence[str], found: FoundState) -> None:
        """Let a command pass, or not.

        :raises UsageError: the board is in somebody's use, and the command would change it for good.
        """
        if not self.restricted or found.state == BLANK or not changes(words):
            return
        raise UsageError(
            f"board {self._board} was found {found.state}; {words[0]!r} would change it for good, for nobody"
            " can put its keys back",
            key="--allow-destructive",
            expected="a board whose agent is blank, or this option, if that is meant",
        )


def changes(words: Sequence[str]) -> bool:
    """Tell whether a command may change what a board is or holds for itself."""
    if words[0] in WRITING:
        return not CARRIED.issuperset(words[1:2])
    return words[0] in CHANGING
