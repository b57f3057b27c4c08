"""Break: a board that does not answer is looked for on every port of the host."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.inventory import identity, serial_ports
from tests.breaks.support.patching import existing, replaces

TITLE = "a board that does not answer is looked for on every port of the host"
NOTICED_BY = ("tests/virtual/usb/test_strangers.py::test_session_leaves_strangers_alone",)
ABOUT = r"what_strangers_heard"
_NORDIC = 0x1366  # the maker of the debug probe through which the boards are seen

before = existing(identity, "_ports_to_ask")


@replaces(identity, "_ports_to_ask")
def ports_to_ask(board: Any) -> Any:
    """Begin with the ports of others; not with those of its like, whose users would keep it from the rest."""
    console = next(iter(before(board)))
    for port in serial_ports.list_serial_ports():
        if port.device not in board.ports and port.vid != _NORDIC:
            yield replace(console, url=port.device)
    yield from before(board)
