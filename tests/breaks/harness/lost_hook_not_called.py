"""Break: plugins hear nothing of a board that went away."""

from __future__ import annotations

from harness.pytest_plugin.hotplug import Hotplug
from tests.breaks.support.patching import replaces

TITLE = "plugins hear nothing of a board that went away"
NOTICED_BY = ("tests/hotplug/test_losses.py::test_the_only_board_is_gone_for_good[0]",)
ABOUT = r"plugins were told of no loss"


@replaces(Hotplug, "_tell_plugins")
def tell_plugins(self: Hotplug, board_id: str) -> None:
    """Tell nobody."""
