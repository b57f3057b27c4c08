"""The points at which the supply of a board may fail: see :mod:`harness.virtual.power_points`.

A board passes a point before and after each AT command, each write to its flash and each HTTP exchange.
"""

from __future__ import annotations

from harness.virtual.power_points import PowerPoints
from harness_nordic.virtual.agent_log import without_secret

BEFORE_AT, AFTER_AT = "before at", "after at"
BEFORE_FLASH, AFTER_FLASH = "before flash", "after flash"
BEFORE_EXCHANGE, REQUEST_SENT, AFTER_EXCHANGE = "before exchange", "request sent", "after exchange"
#: Every point that a board passes.
POINTS = (
    BEFORE_AT,
    AFTER_AT,
    BEFORE_FLASH,
    AFTER_FLASH,
    BEFORE_EXCHANGE,
    REQUEST_SENT,
    AFTER_EXCHANGE,
)


class BoardPoints(PowerPoints):
    """The points of a board, whose AT commands may hold keys."""

    def __init__(self) -> None:
        """Cut nothing."""
        super().__init__(POINTS)

    def shown(self, detail: str) -> str:
        """Leave out the secret of an AT command."""
        return without_secret(detail)
