"""Break: the tag of a row's version stays the same, so whoever waits is never told of a change."""

from __future__ import annotations

from harness_guardian.fake import waiting
from tests.breaks.support.patching import replaces

TITLE = "the tag of a row's version stays the same, so whoever waits is never told of a change"
NOTICED_BY = ("tests/guardian/fake/test_acting_api.py::test_version_tag",)
ABOUT = r"tag"


@replaces(waiting, "version_tag")
def version_tag(version: int) -> str:
    """Tag them all alike."""
    del version
    return '"1"'
