"""Break: whoever prefers to wait for a change is answered at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import waiting
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_guardian.fake.choices import Choices

TITLE = "whoever prefers to wait for a change is answered at once"
NOTICED_BY = (
    "tests/guardian/fake/test_acting_api.py::test_answer_comes_with_the_change",
    "tests/guardian/fake/test_acting_api.py::test_profile_is_waited_for",
)
ABOUT = r"was_open|304|202"


@replaces(waiting, "preferred_wait")
def preferred_wait(request: Request, choices: Choices) -> int | None:
    """Hear no preference."""
    del request, choices
    return None
