"""Break: what a user chose in the Columns chooser is forgotten at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.pages.columns import ColumnChooser
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.enums import Column
    from harness_guardian.fake.records import User

TITLE = "what a user chose in the Columns chooser is forgotten at once"
NOTICED_BY = ("tests/guardian/fake/test_pages_devices.py::test_columns_are_chosen_and_kept",)
ABOUT = r"== wanted|Response ID|Device HW ID"


@replaces(ColumnChooser, "of")
def of(self: ColumnChooser, user: User) -> tuple[Column, ...]:
    """Show the default."""
    del user
    return self._default
