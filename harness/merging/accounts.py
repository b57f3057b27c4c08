"""Where the tests of a run ended up, in numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["passed", "failed", "skipped", "not run"]
_LINE = re.compile(
    r"(\d{1,9}) collected = (\d{1,9}) passed \+ (\d{1,9}) failed \+ (\d{1,9}) skipped \+ (\d{1,9}) not run"
    r"(?:\W.*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """How many tests came to which outcome; what was collected is their sum."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    not_run: int = 0

    @property
    def collected(self) -> int:
        """How many tests there are."""
        return self.passed + self.failed + self.skipped + self.not_run

    def __add__(self, other: Accounts) -> Accounts:
        """Return both together."""
        return Accounts(
            passed=self.passed + other.passed,
            failed=self.failed + other.failed,
            skipped=self.skipped + other.skipped,
            not_run=self.not_run + other.not_run,
        )

    def __str__(self) -> str:
        """Return the sum, as a session prints its own."""
        return (
            f"{self.collected} collected = {self.passed} passed + {self.failed} failed"
            f" + {self.skipped} skipped + {self.not_run} not run"
        )


def same_accounts(line: str, accounts: Accounts) -> bool:
    """Tell whether a session's own line of its accounts says the same; what follows the sum may be anything.

    :param line: as the session wrote it.
    :param accounts: as they were counted.
    """
    found = _LINE.fullmatch(line.strip())
    return found is not None and tuple(map(int, found.groups())) == (
        accounts.collected,
        accounts.passed,
        accounts.failed,
        accounts.skipped,
        accounts.not_run,
    )
