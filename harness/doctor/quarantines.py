"""Boards of this host that sessions leave alone, which somebody may have forgotten."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.doctor.findings import Finding, Level, fine
from harness.errors import HarnessError
from harness.health.quarantine import Quarantines, how_to_lift
from harness.inventory.lease_directory import COMMON_DIRECTORY, LEASE_DIRECTORY_VARIABLE

if TYPE_CHECKING:
    from harness.health.quarantine_records import Quarantine

CHECK = "quarantine"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineFacts:
    """Which boards are left alone.

    :ivar usable: whether there is a directory for them; if not, the check of leases says so.
    :ivar boards: they, and why.
    :ivar unreadable: files that are no such record, and why.
    """

    usable: bool = True
    boards: tuple[Quarantine, ...] = ()
    unreadable: tuple[str, ...] = ()


def look() -> QuarantineFacts:
    """Look at the boards attached to this host; makes nothing."""
    named = os.environ.get(LEASE_DIRECTORY_VARIABLE)
    if not os.path.lexists(named or COMMON_DIRECTORY):
        return QuarantineFacts()
    try:
        quarantines = Quarantines.of_bench(None)
        boards = tuple(quarantines.all(datetime.now(UTC)))
    except HarnessError:
        return QuarantineFacts(usable=False)
    return QuarantineFacts(boards=boards, unreadable=tuple(quarantines.unreadable))


def judge(facts: QuarantineFacts) -> list[Finding]:
    """Say which boards are left alone, and what to do about it."""
    if not facts.usable:
        return []
    findings = [
        Finding(
            check=CHECK,
            level=Level.WARNING,
            what=f"board {one.board} is quarantined: {one}",
            why="No session uses it.",
            advice="When it is mended, let sessions use it again:",
            commands=(how_to_lift(one.board, None),),
        )
        for one in facts.boards
    ]
    findings += [
        Finding(
            check=CHECK,
            level=Level.WARNING,
            what=f"no record of a quarantine: {text}",
            why="It keeps nobody from a board, though somebody may think so.",
            advice="Remove the file, and quarantine the board again if it is to be.",
        )
        for text in facts.unreadable
    ]
    return findings or [fine(CHECK, "no board is quarantined")]
