"""Break: a link that nobody can show counts as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion import evidence
from harness_pelion.evidence import Evidence, Link
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.evidence import Facts

TITLE = "a link of the chain that nobody can show counts as well"
NOTICED_BY = (
    "tests/pelion/test_evidence.py::test_what_nobody_shows_is_unknown*",
    "tests/pelion/test_evidence.py::test_hardware_shows_no_items*",
)
ABOUT = r"assert"

before = existing(evidence, "judge")


@replaces(evidence, "judge")
def judge(facts: Facts) -> Evidence:
    """Hope for the best."""
    judged: Evidence = before(facts)
    links = (Link(link.name, True) if link.ok is None else link for link in judged.links)
    return Evidence(tuple(links), facts)
