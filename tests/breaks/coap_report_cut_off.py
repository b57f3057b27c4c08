"""Break: the service takes the last block of a report for all of it."""

from __future__ import annotations

from typing import Any

from aiocoap.blockwise import Block1Spool, ContinueException  # type: ignore[import-untyped] # has no types

from tests.breaks.support.patching import replaces

TITLE = "the service takes the last block of a report for all of it"
EXPECTED = ("test_coap.py::test_report_in_blocks*",)
ABOUT = r"SUCCEEDED"


@replaces(Block1Spool, "feed_and_take")
def feed_and_take(self: Block1Spool, req: Any) -> Any:
    """Keep nothing of the blocks before the last."""
    if req.opt.block1 is not None and req.opt.block1.more:
        raise ContinueException(req.opt.block1)
    return req
