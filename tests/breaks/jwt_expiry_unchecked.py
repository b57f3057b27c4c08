"""Break: an expired JWT is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import jwt
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from typing import Any

TITLE = "an expired JWT is accepted"
EXPECTED = ("test_execution.py::test_expired_jwt",)
ABOUT = r"refused_with == .*403"


@replaces(jwt, "_check_life")
def _check_life(claims: dict[str, Any], now: float) -> None:
    """Know no time."""
