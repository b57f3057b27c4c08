"""Break: the merged JUnit report has the numbers of its first suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.merging import junit_writing
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree import ElementTree as ET

TITLE = "the merged JUnit report has the numbers of its first suite"
NOTICED_BY = ("tests/merging/test_merge.py::test_shards_are_one_run",)
ABOUT = r"for name in \(\"tests\""


@replaces(junit_writing, "total")
def total(suites: Iterable[ET.Element], name: str) -> int:
    """Take the first one's for all."""
    return int(next(iter(suites)).get(name, "0"))
