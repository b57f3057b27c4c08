"""Break: the check notes a rule in the ledger when it is made already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_nordic.check_interview import Interview
from harness_nordic.client_rules import RULE, RULES
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness_nordic.check_books import Made

TITLE = "the check notes a rule in the ledger when it is made already"
NOTICED_BY = ("tests/real_mode/test_service_check.py::test_what_is_made_is_noted_before_and_undone",)
ABOUT = r"unnoted"


@replaces(Interview, "make_rule")
def make_rule(self: Interview, body: Mapping[str, Any], question: str = "") -> Made:
    """Ask first."""
    response = self.ask(question, "POST", RULES, json=dict(body))
    made = self.books.intend(RULE, str(body["name"]))
    self.books.answered(made, response)
    return made
