"""Break: a tag may have any length."""

from __future__ import annotations

from pydantic import Field

from harness_nordic.fake import management
from harness_nordic.fake.bodies import ClaimBody
from tests.breaks.support.patching import sets

TITLE = "a tag may have any length"
EXPECTED = ("test_claiming.py::test_tag_too_long",)
ABOUT = r"RequestRefused|refused"


class LenientClaim(ClaimBody):
    """A claim whose tags are just texts."""

    tags: list[str] = Field(default_factory=list)


sets(management, "ClaimBody", LenientClaim)
