"""Making a board and a service known to each other before the first test that uses both.

A fake needs to learn nothing: a device is made known by the system that it belongs to, which suites make. The
board needs to learn where the service is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.evidence import step

if TYPE_CHECKING:
    from harness.backends.contract import Backend
    from harness.inventory.leased_board import LeasedBoard


def introduce(board: LeasedBoard, backend: Backend) -> None:
    """Tell the agent on a board where the service is.

    :raises HarnessError: the agent does not take it.
    """
    with step("The component is led to the service"):
        board.driver.lead_to_service(backend.url)
