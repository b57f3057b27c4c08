"""Break: the Vault does what anybody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.vault.service import VaultService
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from starlette.requests import Request

TITLE = "the Vault takes any token"
NOTICED_BY = (
    "tests/guardian/vault/test_protocol.py::test_other_tokens_are_refused[*",
    "tests/guardian/vault/test_protocol.py::test_client_knows_whether_it_is_authenticated",
)
ABOUT = r"permission denied|is_authenticated"


@replaces(VaultService, "_check_token")
def _check_token(self: VaultService, request: Request) -> None:
    """Ask nobody who they are."""
