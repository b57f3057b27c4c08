"""Whether tests noticed a break, judged by the JUnit file of the session that had it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

# What pytest writes of a failed ``assert`` (with and without a text of its own) and of ``pytest.raises``.
_BY_ASSERTION = re.compile(r"(assert\b|AssertionError\b|Failed: DID NOT RAISE\b)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCase:
    """One test of a JUnit file.

    :ivar name: its node id.
    :ivar outcome: ``passed``, ``failed`` in the test itself, ``error`` outside it, or ``skipped``.
    :ivar message: the first words of what went wrong.
    :ivar text: all of it.
    """

    __test__ = False

    name: str
    outcome: str
    message: str = ""
    text: str = ""

    @property
    def asserted(self) -> str:
        """The failing line of the test and what was found there: what the failure is about."""
        return "\n".join(line for line in self.text.splitlines() if line.startswith((">", "E ")))


def read_junit(path: Path) -> list[TestCase]:
    """Read a JUnit file; a test that failed and whose tear-down failed too is there twice."""
    root = ET.parse(path).getroot()  # noqa: S314 - our own pytest wrote it
    return [_read_case(element) for element in root.iter("testcase")]


def node_id(classname: str, name: str) -> str:
    """Make a test's node id of what a JUnit file calls it.

    :param classname: path of its module and its classes, joined by dots.
    :param name: of the function, with its parameters.
    """
    pieces = classname.split(".")
    # Only what has the name of a test module is one; classes follow it.
    module = max(
        (at for at, piece in enumerate(pieces) if piece.startswith("test_")), default=len(pieces) - 1
    )
    return "::".join(["/".join(pieces[: module + 1]) + ".py", *pieces[module + 1 :], name])


def _read_case(element: ET.Element) -> TestCase:
    name = node_id(element.get("classname", ""), element.get("name", ""))
    for tag, outcome in (("failure", "failed"), ("error", "error"), ("skipped", "skipped")):
        found = element.find(tag)
        if found is not None:
            return TestCase(
                name=name, outcome=outcome, message=found.get("message", ""), text=found.text or ""
            )
    return TestCase(name=name, outcome="passed")


def complaints(cases: Collection[TestCase], expected: Collection[str], about: str) -> list[str]:
    """Say what keeps a break from counting as noticed; nothing if it was noticed as it must be.

    :param cases: what the session with the break brought.
    :param expected: node ids of the tests that must have failed.
    :param about: expression that must be found in what each of them asserts.
    """
    found: list[str] = []
    for name in expected:
        own = [case for case in cases if case.name == name]
        failed = next((case for case in own if case.outcome == "failed"), None)
        if not own:
            found.append(f"{name} did not run")
        elif failed is None:
            outcomes = ", ".join(f"{case.outcome} {case.message[:200]}".strip() for case in own)
            found.append(f"{name} did not notice: {outcomes}")
        elif not _BY_ASSERTION.match(failed.message):
            found.append(f"{name} failed, but not by assertion: {failed.message[:300]}")
        elif not re.search(about, failed.asserted, re.DOTALL):
            found.append(f"{name} failed by another assertion than one about {about!r}:\n{failed.asserted}")
    return found
