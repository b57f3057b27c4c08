"""Break: the board takes the first block of the commands for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual import coap_link
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.virtual.coap_message import Block, Message, Option

TITLE = "the board takes the first block of the commands for all of them"
EXPECTED = ("test_coap.py::test_certificates_in_blocks*",)
ABOUT = r"NO_COMMANDS"


@replaces(coap_link, "_block")
def _block(message: Message, option: Option) -> Block | None:
    """See no blocks."""
    return None
