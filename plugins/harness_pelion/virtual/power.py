"""Power cuts at chosen points: which steps an MBL device passes, and at which of them its supply fails.

A device passes a point before and after each write to its key store and to its file system, each command that
its shell runs, and each exchange of its cloud client with a server. A test looks at the points of one run and
lets the power go at any of them in the next.
"""

from __future__ import annotations

from harness.virtual.power_points import PowerPoints

#: An item, or several at once, is written to the key store; the detail names it.
BEFORE_STORE, AFTER_STORE = "before store", "after store"
#: An item is removed from the key store.
BEFORE_DELETE, AFTER_DELETE = "before delete", "after delete"
#: A file or directory is changed; the detail says what is done to which path.
BEFORE_WRITE, AFTER_WRITE = "before write", "after write"
#: A program is run; the detail is its name.
BEFORE_COMMAND, AFTER_COMMAND = "before command", "after command"
#: The cloud client asks a server and has its answer; the detail says what it asks.
BEFORE_EXCHANGE, AFTER_EXCHANGE = "before exchange", "after exchange"
#: Every point that a device passes.
POINTS = (
    BEFORE_STORE,
    AFTER_STORE,
    BEFORE_DELETE,
    AFTER_DELETE,
    BEFORE_WRITE,
    AFTER_WRITE,
    BEFORE_COMMAND,
    AFTER_COMMAND,
    BEFORE_EXCHANGE,
    AFTER_EXCHANGE,
)


def make_points() -> PowerPoints:
    """Return the points of one device."""
    return PowerPoints(POINTS)
