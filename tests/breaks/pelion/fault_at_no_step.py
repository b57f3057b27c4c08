"""Break: a fault that is ordered for a step that there is not waits for ever, and nobody hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.faults import Faults
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

TITLE = "a fault for a step that does not exist is taken"
NOTICED_BY = (
    "tests/pelion/fake/test_faults_api.py::test_unknown_step*",
    "tests/pelion/fake/test_faults_api.py::test_unknown_call",
)
ABOUT = r"status_code"

before = existing(Faults, "steps")


class AnyStep(tuple[str, ...]):
    """Steps among which every word is."""

    __slots__ = ()

    def __contains__(self, step: object) -> bool:
        """Have it."""
        return True


@replaces(Faults, "steps")
def steps(self: Faults, part: str, kind: str) -> Sequence[str]:
    """Know every step."""
    return AnyStep(before(self, part, kind))
