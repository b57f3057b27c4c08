"""Break: a board of the rig file is what shows its serial number, whoever that says it is."""

from __future__ import annotations

from typing import Any

from harness.inventory.rig_matching import _Matcher
from tests.breaks.support.patching import replaces

TITLE = "a board of the rig file is what shows its serial number, whoever that says it is"
NOTICED_BY = ("tests/inventory/test_rig_matching.py::test_wrong_identity_in_the_file_is_one_message",)
ABOUT = r"DID NOT RAISE UsageError"


@replaces(_Matcher, "_could_be")
def could_be(self: _Matcher, entry: Any, device: Any) -> bool:
    """Listen to nobody."""
    return True
