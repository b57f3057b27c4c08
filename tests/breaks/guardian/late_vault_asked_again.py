"""Break: a Vault that did not answer in time is asked once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_guardian.fake.vault_contract import VaultTimeout
from harness_guardian.fake.vault_lines import VaultLines
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TITLE = "a call that was late is made again"
NOTICED_BY = ("tests/guardian/fake/test_vault_link.py::test_time_counts_for_the_whole_answer[silence]",)
ABOUT = r"nothing is asked twice"

_ask = VaultLines.ask


@replaces(VaultLines, "ask")
async def ask(
    self: VaultLines,
    title: str,
    ask: Callable[[Any], Any],
    *,
    seconds: float,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Give it a second chance."""
    try:
        return await _ask(self, title, ask, seconds=seconds, headers=headers)
    except VaultTimeout:
        return await _ask(self, title, ask, seconds=seconds, headers=headers)
