"""Break: credentials can be changed while the modem is active."""

from __future__ import annotations

from harness_nordic.virtual.modem import Modem
from tests.breaks.support.patching import replaces

TITLE = "credentials can be changed while the modem is active"
EXPECTED = ("test_credential_store.py::test_no_write_while_the_modem_is_active",)
ABOUT = r"CommandRefused"


@replaces(Modem, "_require_inactive")
def _require_inactive(self: Modem) -> None:
    """Mind nothing."""
