"""Break: a form is taken without the proof that it is one of the session's own."""

from __future__ import annotations

from harness_guardian.fake.pages.sessions import Session
from tests.breaks.support.patching import replaces

TITLE = "a form is taken without the proof that it is one of the session's own"
NOTICED_BY = ("tests/guardian/fake/test_pages_safety.py::test_form_without_its_proof_changes_nothing*",)
ABOUT = r"403"


@replaces(Session, "proves")
def proves(self: Session, csrf: str) -> bool:
    """Believe it."""
    del self, csrf
    return True
