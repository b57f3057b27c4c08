"""The points at which the supply of a board may fail: see :mod:`harness.virtual.power_points`.

A board passes a point before and after each write to its flash, each key that it makes, each exchange with
the service, and the one write that installs a certified profile.
"""

from __future__ import annotations

BEFORE_KEY, AFTER_KEY = "before key", "after key"
BEFORE_FLASH, AFTER_FLASH = "before flash", "after flash"
BEFORE_INSTALL, AFTER_INSTALL = "before install", "after install"
BEFORE_EXCHANGE, REQUEST_SENT, AFTER_EXCHANGE = "before exchange", "request sent", "after exchange"
#: Every point that a board passes.
POINTS = (
    BEFORE_KEY,
    AFTER_KEY,
    BEFORE_FLASH,
    AFTER_FLASH,
    BEFORE_INSTALL,
    AFTER_INSTALL,
    BEFORE_EXCHANGE,
    REQUEST_SENT,
    AFTER_EXCHANGE,
)
