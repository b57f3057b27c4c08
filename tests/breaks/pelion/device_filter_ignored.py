"""Break: a list of devices holds all of them, whatever is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_pelion.fake import device_calls
from tests.breaks.support.patching import replaces
from tests.breaks.support.pelion import be_impatient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness_pelion.fake.filters import Kind

TITLE = "a list of devices holds all of them, whatever is asked for"
EXPECTED = ("test_reprovisioning.py::test_back_again",)
ABOUT = r"ca_id"

be_impatient()


@replaces(device_calls, "parse")
def parse(
    text: str, fields: Mapping[str, Kind], *, pass_unknown: bool
) -> Callable[[Mapping[str, Any]], bool]:
    """Want everything."""
    return lambda _document: True
