"""Break: a null in a change of state is kept in the shadow."""

from __future__ import annotations

from typing import Any

from harness_nordic.fake import core_devices
from tests.breaks.support.patching import replaces

TITLE = "a null in a change of state is kept in the shadow"
EXPECTED = ("test_core_devices.py::test_state",)
ABOUT = r"state =="


@replaces(core_devices, "_merged")
def _merged(old: Any, change: Any, depth: int) -> Any:
    """Take null for a value."""
    if not isinstance(change, dict):
        return change
    new = dict(old) if isinstance(old, dict) else {}
    return new | {key: _merged(new.get(key), value, depth - 1) for key, value in change.items()}
