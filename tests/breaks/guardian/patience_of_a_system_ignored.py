"""Break: the service waits for Vault as long as usual, whatever a system says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_guardian.fake.vault_lines import VaultLines
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TITLE = "the time that a system gives Vault is ignored"
EXPECTED = ("test_vault_errors.py::test_slow[*-sign]",)
ABOUT = r"_waited"
_USUAL = 5.0

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
    """Wait for the usual time at least."""
    return await _ask(self, title, ask, seconds=max(seconds, _USUAL), headers=headers)
