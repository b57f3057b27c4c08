"""Break: names are put into the pages as if they were markup."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from harness_guardian.fake.pages import rendering
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from jinja2 import Environment

TITLE = "names are put into the pages as if they were markup"
NOTICED_BY = ("tests/guardian/fake/test_pages_safety.py::test_names_with_markup_are_texts",)
ABOUT = r"assert.*(EVIL|img|not closed)"

_safe = existing(rendering, "_environment")


@replaces(rendering, "_environment")
@cache
def _environment() -> Environment:
    """Escape nothing."""
    environment: Environment = _safe()
    environment.autoescape = False
    return environment
