"""Break: a dry run changes the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.services import Services
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.backends.contract import Change

TITLE = "a dry run changes the service"
NOTICED_BY = ("tests/real_mode/test_dry_run.py::test_ends_where_something_would_change",)
ABOUT = r"assert"


@replaces(Services, "_end_instead")
def _end_instead(self: Services, change: Change) -> None:
    """Go on."""
