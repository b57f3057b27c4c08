"""Break: a body is told from JSON by its header, and no longer by its first byte."""

from __future__ import annotations

from harness_nordic.fake import management
from tests.breaks.support.patching import replaces

TITLE = "CSV is known by the header Content-Type alone"
EXPECTED = (
    "test_bulk_claiming.py::test_body_is_known_by_its_first_byte[None]",
    "test_bulk_claiming.py::test_body_is_known_by_its_first_byte[application*",
    "test_bulk_claiming.py::test_json_without_its_type",
)
ABOUT = r"200|201"


@replaces(management, "is_csv")
def is_csv(body: bytes, content_type: str) -> bool:
    """Believe the header."""
    return bool(body) and content_type.startswith("text/csv")
