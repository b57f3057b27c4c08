"""Break: what had moved on before a bulk action is not named; only the success is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.pages import devices, wording
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.enums import Action
    from harness_guardian.fake.pages.sessions import Message
    from harness_guardian.fake.pages.wording import Acted

TITLE = "what had moved on before a bulk action is not named; only the success is said"
NOTICED_BY = ("tests/guardian/fake/test_pages_actions.py::test_those_that_moved_on_are_named",)
ABOUT = r"1 == 2|== 2"

_all = existing(wording, "messages_about")


@replaces(devices, "messages_about")
def messages_about(action: Action, results: Sequence[Acted]) -> list[Message]:
    """Say what went well."""
    return [message for message in _all(action, results) if message.good]
