"""Asking a board whether it is fit for a test: by its driver if that can tell, else by opening a console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.alarm import interrupted_after
from harness.errors import BoardLost, HarnessError, RigFault, UsageError

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness.plugins import HarnessPluginManager

#: How long a board may take to answer, and be looked for before.
ASK_SECONDS = 20.0
_CONSOLE = "console"


def what_ails(
    board: LeasedBoard, plugins: HarnessPluginManager, *, seconds: float = ASK_SECONDS
) -> str | None:
    """Say why a board is not fit for a test; ``None`` when it answers.

    Its driver's ``health()`` counts. Of a board without one it is seen that its console can be opened.

    :param board: the board; what is opened stays open.
    :param plugins: who makes drivers.
    :param seconds: how long that may take.
    :raises UsageError: not the board is wrong, but what was said of it: the test will tell.
    :raises BoardLost: it is not there, or another board is in its place.
    """
    try:
        with interrupted_after(seconds, lambda: RigFault(f"it gave no answer within {seconds:g} s")):
            return _ask(board, plugins)
    except (UsageError, BoardLost):
        raise
    except HarnessError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever a vendor's probe raises, the board gave no answer
        return f"asking it failed: {type(error).__name__}: {error}"


def _ask(board: LeasedBoard, plugins: HarnessPluginManager) -> str | None:
    probe = getattr(_driver_of(board, plugins), "health", None)
    if probe is not None and probe():
        return None
    roles = board.description.endpoints
    for role in [_CONSOLE] if _CONSOLE in roles else sorted(roles)[:1]:
        board.endpoint(role)  # also of one that did not answer: another board may be in its place
    return None if probe is None else f"its driver {board.description.driver!r} got no answer"


def _driver_of(board: LeasedBoard, plugins: HarnessPluginManager) -> Any:
    """Return the driver that is in use, or one for this question alone.

    A driver that a test uses puts back afterwards what it changed. One that only asked has nothing to put
    back, and must not seem to have been used.
    """
    made = board.made_driver
    return made if made is not None else plugins.hook.harness_make_driver(board=board)
