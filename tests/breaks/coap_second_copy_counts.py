"""Break: the service takes the second copy of a datagram for another request."""

from __future__ import annotations

from typing import Any

from aiocoap.messagemanager import MessageManager  # type: ignore[import-untyped] # has no types

from tests.breaks.support.patching import replaces

TITLE = "the service takes the second copy of a datagram for another request"
EXPECTED = ("test_coap_in_trouble.py::test_lost_datagram*received*",)
ABOUT = r"p/"


@replaces(MessageManager, "_deduplicate_message")
def _deduplicate_message(self: MessageManager, message: Any) -> bool:
    """Remember nothing."""
    return False
