"""Break: a loop over several devices ends at the first that is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic import client_bulk
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness_nordic.client_bulk import ItemResult
    from harness_nordic.client_objects import ClaimedDevice

TITLE = "a loop over several devices ends at the first that is refused"
EXPECTED = (
    "test_several_devices.py::test_several_are_blocked",
    "test_several_devices.py::test_several_are_unblocked",
    "test_several_devices.py::test_several_are_unclaimed",
)
ABOUT = r"summary"

before = existing(client_bulk, "_each")


@replaces(client_bulk, "_each")
def _each(devices: Iterable[ClaimedDevice], call: Callable[[str], None]) -> list[ItemResult]:
    """Stop at the first fault."""
    results: list[ItemResult] = []
    for device in devices:
        results += before([device], call)
        if not results[-1].done:
            break
    return results
