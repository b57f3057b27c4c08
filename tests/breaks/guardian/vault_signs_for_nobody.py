"""Break: the Vault signs what nobody waits for any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.vault import service
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_guardian.vault.faults import VaultFault

TITLE = "a delayed signature is made although the caller has gone"
NOTICED_BY = ("tests/guardian/vault/test_faults.py::test_what_nobody_waits_for_is_not_signed",)
ABOUT = r"before|None, 200"

_wait_really = service._wait


@replaces(service, "_wait")
async def _wait(fault: VaultFault, request: Request) -> bool:
    """Go on, whoever is there."""
    await _wait_really(fault, request)
    return True
