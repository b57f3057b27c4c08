"""Break: the length of a tag is counted in bytes and not in characters."""

from __future__ import annotations

from typing import Any

from harness_nordic.fake import tag_calls
from harness_nordic.fake.bodies import LONGEST_TAG, TagBody, parse_body
from harness_nordic.fake.refusals import BadRequest
from tests.breaks.support.patching import replaces

TITLE = "the length of a tag is counted in bytes and not in characters"
EXPECTED = ("test_tags.py::test_characters_of_a_tag",)
ABOUT = r"status_code"


@replaces(tag_calls, "parse_body")
def parse(model: Any, body: bytes) -> Any:
    """Measure the encoded text."""
    parsed = parse_body(model, body)
    if isinstance(parsed, TagBody) and len(parsed.tag.encode()) > LONGEST_TAG:
        raise BadRequest("tag: too long")
    return parsed
