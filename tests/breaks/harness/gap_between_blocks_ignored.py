"""Break: the board takes blocks that do not follow each other for a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual import coap_link
from harness_nordic.virtual.coap_message import Block, Option
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.virtual.coap_message import Message

TITLE = "the board takes blocks that do not follow each other for a whole"
NOTICED_BY = (
    "tests/nordic/virtual/test_coap_blocks.py::test_blocks_that_do_not_fit_together[another block]",
)
ABOUT = r"DID NOT RAISE"

before = existing(coap_link, "_block")
asked: list[int] = [0]


@replaces(coap_link, "_block")
def _block(message: Message, option: Option) -> Block | None:
    """Believe that each block is the one that was asked for."""
    block: Block | None = before(message, option)
    if option is not Option.BLOCK2 or block is None:
        return block
    asked[0] = block.number if block.number == 0 else asked[0] + 1
    return Block(asked[0], block.more, block.exponent)
