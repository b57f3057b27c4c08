"""Break: the board gives up its connection after each batch although it need not."""

from __future__ import annotations

from harness_nordic.virtual.coap_variant import CoapVariant
from tests.breaks.support.patching import replaces

TITLE = "the board gives up its connection after each batch although it need not"
EXPECTED = ("test_coap.py::test_many_commands", "test_coap.py::test_steps_of_a_run")
ABOUT = r"p/auth-jwt"


@replaces(CoapVariant, "_suspend")
def _suspend(self: CoapVariant) -> None:
    """Close it."""
    self.close()
