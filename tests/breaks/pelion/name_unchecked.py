"""Break: a certificate may have any name, also none."""

from __future__ import annotations

from harness_pelion.fake.service import PelionService
from tests.breaks.support.patching import replaces

TITLE = "a certificate may have any name, also none"
EXPECTED = (
    "test_api.py::test_unfit_name[none]",
    "test_api.py::test_unfit_name[long]",
)
ABOUT = r"DID NOT RAISE"


@replaces(PelionService, "_check_texts")
def _check_texts(self: PelionService, name: str, description: str) -> None:
    """Like every name."""
