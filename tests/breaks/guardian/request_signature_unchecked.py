"""Break: a request is taken whatever its signature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.envelopes import Envelope, fits
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.fake.envelopes import PublicKey

TITLE = "a request is taken whatever its signature"
NOTICED_BY = (
    "tests/guardian/fake/test_checks_order.py::test_each_initial_fault[signed by another]",
    "tests/guardian/fake/test_checks_order.py::test_each_reprovisioning_fault[signed by another]",
    "tests/guardian/fake/test_envelopes.py::test_a_changed_payload_does_not_verify[*]",
)
ABOUT = r"outcome|is_signed_by"


@replaces(Envelope, "is_signed_by")
def is_signed_by(self: Envelope, key: PublicKey) -> bool:
    """Look at the form alone."""
    return self.fault is None and fits(self.algorithm, key)
