"""Break: a session gets boards of services that it does not use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin import selection
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from harness.virtual.contract import VirtualKind

TITLE = "who uses one service and asks for a number of boards gets boards of another service"
NOTICED_BY = (
    "tests/pytest_plugin/test_selection.py::test_boards_of_other_services_are_not_taken_unasked[services1-ad]",
    "tests/pytest_plugin/test_selection.py::test_boards_of_other_services_are_not_taken_unasked[services2-cd]",
)
ABOUT = "left"


@replaces(selection, "kinds_by_name")
def kinds_by_name(kinds: Iterable[VirtualKind], services: Collection[str]) -> list[str]:
    """Look at no service."""
    return [kind.kind for kind in kinds if kind.only_by_name]
