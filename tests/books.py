"""Accounts that a test can read, in the place of a session's ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Book:
    """What was noted, in its order, and what was struck out.

    :ivar notes: by number: the kind of thing, which one, and its details.
    :ivar settled: numbers, in the order in which they were struck out.
    """

    notes: dict[int, tuple[str, str, dict[str, str]]] = field(default_factory=dict)
    settled: list[int] = field(default_factory=list)

    def note(self, kind: str, subject: str, **details: str) -> int:
        self.notes[len(self.notes) + 1] = (kind, subject, details)
        return len(self.notes)

    def note_all(self, kind: str, subjects: Sequence[str], **details: str) -> list[int]:
        return [self.note(kind, subject, **details) for subject in subjects]

    def amend(self, number: int, **details: str) -> None:
        self.notes[number][2].update(details)

    def settle(self, number: int) -> None:
        self.settled.append(number)

    def settle_all(self, numbers: Sequence[int]) -> None:
        self.settled.extend(numbers)
