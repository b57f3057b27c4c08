"""Break: a component does not tell the service that it has installed its profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.virtual import provisioning
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_guardian.virtual.session import Session

TITLE = "the service is not told that the profile is installed"
NOTICED_BY = (
    "tests/guardian/virtual/test_provisioning.py::test_connected",
    "tests/guardian/virtual/test_troubles.py::test_completion_is_made_up_for",
)
ABOUT = r"installed"


@replaces(provisioning, "_complete")
def _complete(session: Session, *, again: bool = False) -> None:
    """Say nothing."""
