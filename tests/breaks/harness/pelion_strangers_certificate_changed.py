"""Break: what nobody made here is changed at a service elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.client import PelionClient
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.backends.contract import Change

TITLE = "what we did not make in an account elsewhere is changed"
NOTICED_BY = ("tests/pelion/client/test_access.py::test_what_we_did_not_make_is_never_touched*",)
ABOUT = r"DID NOT RAISE"


@replaces(PelionClient, "refuse_foreign")
def refuse_foreign(self: PelionClient, change: Change) -> None:
    """Mind nobody."""
