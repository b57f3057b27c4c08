"""Break: an API key that others can read is used from the user store."""

from __future__ import annotations

from harness_pelion.stores import UserStore
from tests.breaks.support.patching import replaces

TITLE = "an API key that others can read is used"
NOTICED_BY = ("tests/pelion/stores/test_rights.py::test_key_that_others_can_read",)
ABOUT = r"DID NOT RAISE"


@replaces(UserStore, "api_key")
def api_key(self: UserStore) -> str | None:
    """Mind nobody."""
    with self._reading() as config:
        return str(config.get("api_key", "")) or None
