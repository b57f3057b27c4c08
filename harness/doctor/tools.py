"""Tools that not everybody needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.doctor.findings import Finding, Level, fine

if TYPE_CHECKING:
    from collections.abc import Iterable

CHECK = "tools"
OLDEST_NODE = 20
ALLURE_VARIABLE = "HARNESS_ALLURE"
_SECONDS = 20.0
_WHY = "'harness report' needs it; suites, JUnit and the summary page do not."


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFacts:
    """What is installed.

    :ivar node: major version of Node; ``None``: there is none.
    :ivar allure: the command of Allure; ``None``: there is none where 'harness report' looks.
    """

    node: int | None = None
    allure: Path | None = None


def look(places_of_allure: Iterable[Path]) -> ToolFacts:
    """Look for the tools.

    :param places_of_allure: where the command of Allure may be, beside ``HARNESS_ALLURE``.
    """
    named = os.environ.get(ALLURE_VARIABLE)
    places = [Path(named)] if named else list(places_of_allure)
    return ToolFacts(
        node=_node_version(shutil.which("node")),
        allure=next((place for place in places if place.is_file()), None),
    )


def _node_version(node: str | None) -> int | None:
    if node is None:
        return None
    try:
        done = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"v(\d+)\.", done.stdout)
    return int(found[1]) if found else None


def judge(facts: ToolFacts) -> list[Finding]:
    """Say which tools are missing; none of them is needed to run suites."""
    findings = []
    if facts.node is None or facts.node < OLDEST_NODE:
        found = "there is none that answers" if facts.node is None else f"it is version {facts.node}"
        findings.append(
            Finding(
                check=CHECK,
                level=Level.WARNING,
                what=f"Node {OLDEST_NODE} or newer is missing: {found}",
                why=_WHY,
                advice=f"Install Node {OLDEST_NODE} or newer.",
            )
        )
    if facts.allure is None:
        findings.append(
            Finding(
                check=CHECK,
                level=Level.WARNING,
                what="Allure 3 is missing in this directory",
                why=_WHY,
                advice=f"Install it here, or name its command in {ALLURE_VARIABLE}.",
                commands=("npm install --prefix build/allure allure@3",),
            )
        )
    return findings or [fine(CHECK, f"Node {facts.node} and Allure ({facts.allure}) are there")]
