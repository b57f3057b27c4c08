"""What the doctor finds: how bad it is, what it is, why it matters and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"  # something works less well than it could, or is not needed by everybody
    PROBLEM = "problem"  # sessions fail or disturb each other


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    :ivar check: what was looked at.
    :ivar level: how bad it is.
    :ivar what: what was found.
    :ivar why: why that matters; empty when all is well.
    :ivar advice: what to do, in words.
    :ivar commands: lines to paste into a shell.
    :ivar fixable: whether ``harness doctor --fix`` mends it.
    """

    check: str
    level: Level
    what: str
    why: str = ""
    advice: str = ""
    commands: tuple[str, ...] = ()
    fixable: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def fine(check: str, what: str) -> Finding:
    """Return the finding that all is well."""
    return Finding(check=check, level=Level.OK, what=what)
