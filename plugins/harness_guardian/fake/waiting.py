"""What clients say about waiting: ``Prefer: wait=N`` (RFC 7240) and ``If-None-Match`` (RFC 9110)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_guardian.fake.choices import Choices

LONGEST_WAIT = 300
"""Seconds that an answer may be withheld, whatever somebody prefers."""

_WAIT = re.compile(r"wait\s*=\s*\"?([0-9]{1,9})\"?", re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e]*")')


def preferred_wait(request: Request, choices: Choices) -> int | None:
    """Return the seconds that somebody prefers to wait for news; ``None`` when they do not, or we do not.

    What is no preference is ignored, as RFC 7240 demands; of several the first one counts.
    """
    if not choices.prefer_wait:
        return None
    for header in request.headers.getlist("prefer"):
        for preference in header.split(","):
            match = _WAIT.fullmatch(preference.partition(";")[0].strip())
            if match is not None:
                return min(int(match[1]), LONGEST_WAIT)
    return None


def version_tag(version: int) -> str:
    """Return the tag of a version."""
    return f'"{version}"'


def knows(request: Request, version: int) -> bool:
    """Tell whether whoever asks says that they have this version already."""
    header = ", ".join(request.headers.getlist("if-none-match"))
    return header.strip() == "*" or version_tag(version) in _TAG.findall(header)
