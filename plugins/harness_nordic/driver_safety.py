"""What a driver may change on a board, and what it puts back.

Suites have a range of security tags to themselves. On a virtual board everything may be changed: it is
nobody's. On any other board what lies outside the range, and what somebody else has put inside it, is left
alone unless ``--allow-destructive`` says otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.config import RESERVED_SEC_TAGS
from harness.errors import UsageError
from harness_nordic.driver_dialect import without_content

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Tags that suites may use: far from the default tag 16842753 and from every tag of Nordic's samples.
SEC_TAGS = RESERVED_SEC_TAGS

_CHANGE = re.compile(r"\s*AT%(?:CMNG\s*=\s*0*[03]\s*,|KEYGEN\s*=)\s*(\d+)", re.IGNORECASE)
# Factory reset, keys for firmware updates, injected keys, locks of the SIM (AT command manual of the nRF91).
_IRREVERSIBLE = re.compile(
    r"\s*AT(%XFACTORYRESET|%XPMNG|%KEYINJECT|%XSUDO|\+CLCK|\+CPWD)\s*=(?!\?)", re.IGNORECASE
)

Slot = tuple[int, int]
"""A security tag and a type of credential."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardState:
    """The modem as it was found, to be put back.

    :ivar error_numbers: whether ``+CMEE`` was 1.
    :ivar mode: what ``+CFUN?`` said.
    :ivar sec_tags: the tags under which suites write.
    :ivar kept: what was there under them before us, and is to stay.
    """

    error_numbers: bool
    mode: int
    sec_tags: range
    kept: frozenset[Slot] = frozenset()

    def details(self) -> dict[str, str]:
        """Return it as the ledger keeps it; :meth:`from_details` reads it."""
        return {
            "error-numbers": str(int(self.error_numbers)),
            "mode": str(self.mode),
            "sec-tags": range_text(self.sec_tags),
            "others": " ".join(f"{tag}:{kind}" for tag, kind in sorted(self.kept)),
        }

    @classmethod
    def from_details(cls, details: Mapping[str, str]) -> BoardState:
        """Read what another process wrote down; what it left out is as after a boot.

        :raises UsageError: it cannot be read.
        """
        try:
            first, last = details.get("sec-tags", range_text(SEC_TAGS)).split("-")
            slots = [slot.split(":") for slot in details.get("others", "").split()]
            return cls(
                error_numbers=details.get("error-numbers", "0") == "1",
                mode=int(details.get("mode", "1")),
                sec_tags=range(int(first), int(last) + 1),
                kept=frozenset((int(tag), int(kind)) for tag, kind in slots),
            )
        except ValueError as error:
            raise UsageError(f"the ledger's account of a board cannot be read: {error}") from error


class SecTagGuard:
    """Refuses commands that would change what is not ours.

    :ivar kept: what lay under our tags before us, once :meth:`note_found` was told.
    """

    def __init__(self, board: str, tags: range, *, restricted: bool) -> None:
        """Guard a board.

        :param board: its id, for messages.
        :param tags: the tags that may be changed.
        :param restricted: whether anything is refused at all.
        """
        self.tags = tags
        self.restricted = restricted
        self.kept: frozenset[Slot] = frozenset()
        self._board = board

    def note_found(self, slots: Iterable[Slot]) -> None:
        """Take notice of all credentials that the board held before we changed anything."""
        self.kept = (
            frozenset(slot for slot in slots if slot[0] in self.tags) if self.restricted else frozenset()
        )

    def check(self, command: str) -> None:
        """Let an AT command pass, or not.

        :raises UsageError: it writes, deletes or makes a credential where we may not, or nobody can undo it.
        """
        if not self.restricted:
            return
        irreversible = _IRREVERSIBLE.match(command)
        if irreversible is not None:
            raise UsageError(
                f"board {self._board}: AT{irreversible[1].upper()} changes it for good",
                key="--allow-destructive",
                expected="this option, if that is meant",
            )
        match = _CHANGE.match(command)
        if match is None:
            return
        tag = int(match[1])
        if tag not in self.tags:
            raise UsageError(
                f"board {self._board}: {without_content(command)} would change security tag {tag}, which is"
                " not ours",
                key="--sec-tags",
                value=range_text(self.tags),
                expected=f"a range that holds {tag}, or --allow-destructive",
            )
        self.check_unoccupied()

    def check_unoccupied(self) -> None:
        """Let the service's commands at the board, or not.

        :raises UsageError: somebody else's credentials lie under our tags, and would be lost.
        """
        if self.restricted and self.kept:
            slots = ", ".join(f"{tag} type {kind}" for tag, kind in sorted(self.kept))
            raise UsageError(
                f"board {self._board} holds credentials under the tags that tests use ({slots}); tests would"
                " overwrite them",
                key="--sec-tags",
                value=range_text(self.tags),
                expected="tags that are free on the board, or --allow-destructive",
            )


def range_text(tags: range) -> str:
    """Return a range of tags as ``--sec-tags`` takes it."""
    return f"{tags.start}-{tags.stop - 1}"
