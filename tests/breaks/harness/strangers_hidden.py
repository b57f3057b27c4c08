"""Break: ports of nobody are not shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.inventory import attached
from tests.breaks.support.patching import existing, replaces

TITLE = "ports of nobody are not shown"
NOTICED_BY = (
    "tests/inventory/test_rig_matching.py::test_absent_boards_say_why[*nothing is plugged in at 1-9]",
    "tests/inventory/test_attached.py::test_strangers_say_why_they_fit_nothing[port1*",
)
ABOUT = r"found.strangers"


before = existing(attached, "survey_host")


@replaces(attached, "survey_host")
def survey_host(profiles: Any, ports: Any, rig: Any, identities: Any = None) -> Any:
    """Leave out what is nobody's."""
    return replace(before(profiles, ports, rig, identities), strangers=())
