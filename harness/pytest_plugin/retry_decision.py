"""Whether a failure counts, or its test is tried again: decided without pytest, boards or clocks.

* Only a failure by the rig is tried again, while tries are left and another board could take the test.
* A try is everything from its first failure on: if anything but the rig fails in it later, all of it counts.
* A test that came through its call is not tried again for what its tear-down did: it has been tried.
* The last try always counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

_MAY_BE_TRIED_AGAIN: Final = frozenset({"setup", "call"})


@dataclass(slots=True)
class _Tries:
    """What is known of one test.

    :ivar used: how many tries were followed by another one.
    :ivar failed: whether the present one failed.
    :ivar again: whether it is to be followed by another one.
    """

    used: int = 0
    failed: bool = False
    again: bool = False


class RetryDecision:
    """Decides for each failure of a session."""

    def __init__(self, limit: int) -> None:
        """Nothing has failed yet.

        :param limit: how often a test may be tried again.
        """
        self._limit = limit
        self._tests: dict[str, _Tries] = {}

    def begin(self, test: str) -> None:
        """A try begins."""
        tries = self._tests.get(test)
        if tries is not None:
            tries.failed = tries.again = False

    def is_tried_again(
        self, test: str, *, phase: str, verdict: str | None, elsewhere: Callable[[], bool]
    ) -> bool:
        """Decide about a failure, and with it about all of this try.

        :param phase: in which the test failed, as pytest calls it; a crash has another name.
        :param verdict: who is to blame.
        :param elsewhere: tells whether another board could take the test.
        :return: whether the test is going to be tried again, so that this failure does not count.
        """
        tries = self._tests.setdefault(test, _Tries())
        by_rig = verdict == str(Verdict.RIG)
        if tries.failed:
            tries.again = tries.again and by_rig
        else:
            may = by_rig and phase in _MAY_BE_TRIED_AGAIN and tries.used < self._limit
            tries.failed, tries.again = True, may and elsewhere()
        return tries.again

    def end(self, test: str) -> bool:
        """A try is over; tell whether another one follows."""
        tries = self._tests.get(test)
        if tries is None:
            return False
        again, tries.failed, tries.again = tries.again, False, False
        tries.used += again
        return again
