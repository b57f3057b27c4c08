"""Break: the device's client bootstraps at each start."""

from __future__ import annotations

from harness_pelion.virtual.client_work import Work
from tests.breaks.support.patching import existing, replaces

TITLE = "a device bootstraps at each start"
EXPECTED = (
    "test_registration.py::test_registers_again",
    "test_reboot.py::test_registered_again",
)
ABOUT = r"held|== 1"

before = existing(Work, "attempt")


@replaces(Work, "attempt")
def attempt(self: Work) -> None:
    """Begin with a bootstrap."""
    holdings = self._holdings()
    if holdings.is_bootstrapped:
        self._bootstrap(holdings)
    before(self)
