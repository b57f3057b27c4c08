"""Break: an answer of the Vault may take for ever as long as a byte comes now and then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from harness_guardian.fake import vault_lines
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.vault_lines import _Call

TITLE = "the time-out does not count for the whole answer"
NOTICED_BY = (
    "tests/guardian/fake/test_vault_link.py::test_time_counts_for_the_whole_answer[dripping-body]",
    "tests/guardian/fake/test_vault_link.py::test_time_counts_for_the_whole_answer[dripping-head]",
)
ABOUT = r"DID NOT RAISE"
_LONGEST = 3.0  # the test would fail by its own deadline, too, but only after that


@replaces(vault_lines, "_wait_in_time")
async def _wait_in_time(answer: asyncio.Future[Any], call: _Call) -> None:
    """Wait for as long as it takes; then pretend that it was an answer."""
    await asyncio.wait({answer}, timeout=_LONGEST)
    if not answer.done():
        answer.set_result("")
