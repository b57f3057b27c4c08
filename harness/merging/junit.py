"""JUnit reports as they are read: test cases with their outcomes, out of files that nobody vouches for.

What comes from another machine may be cut off, or made to do harm: a document type is refused, for it is
what entities expand from, and so is what is deeper or larger than any report.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Final
from xml.etree import ElementTree as ET

from harness.errors import UsageError
from harness.merging.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from harness.merging.accounts import Outcome

LARGEST: Final = 512 * 1024 * 1024
DEEPEST: Final = 16
#: The type of the element ``skipped`` in the case of a test that was collected and not run.
NOT_RUN: Final = "harness.not_run"
_CHUNK = 1 << 20
#: Messages of what pytest writes as a test case and is none.
_NO_TESTS = {"collection failure", "collection skipped", "internal error"}
_EXPECTED = "a report that pytest --junitxml wrote"

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a report says of one test: one element, or two when its tear-down failed as well.

    :ivar key: the names of its class and of itself.
    :ivar verdict: who is to blame, when it failed and the session knew.
    :ivar reason: the message of what is not passed.
    """

    key: Key
    elements: tuple[ET.Element, ...]
    outcome: Outcome
    verdict: str = ""
    reason: str = ""

    @property
    def name(self) -> str:
        """The test's name for a person."""
        return ".".join(filter(None, self.key))


@dataclass(slots=True, kw_only=True)
class Report:
    """One file.

    :ivar suites: its suites, as they are in the file.
    :ivar cases: its tests.
    :ivar broken: names of what was no test and failed: modules that could not be collected, pytest itself.
    :ivar properties: of its suites.
    :ivar began: when it began; ``None`` when it does not say.
    :ivar seconds: how long it took.
    """

    suites: list[ET.Element]
    cases: dict[Key, Case] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    began: datetime | None = None
    seconds: float = 0.0

    @property
    def accounts(self) -> Accounts:
        """Where its tests ended up."""
        return accounts_of(self.cases.values())


def accounts_of(cases: Iterable[Case]) -> Accounts:
    """Count outcomes."""
    counts = Counter(case.outcome for case in cases)
    return Accounts(
        passed=counts["passed"],
        failed=counts["failed"],
        skipped=counts["skipped"],
        not_run=counts["not run"],
    )


def read_report(file: Path) -> Report:
    """Read a report.

    :raises UsageError: it cannot be read, is cut off or hostile, or is something else.
    """
    root = _parse(file)
    if root.tag not in {"testsuites", "testsuite"}:
        raise UsageError("is no JUnit report", file=file, value=root.tag[:80], expected=_EXPECTED)
    suites = [root] if root.tag == "testsuite" else root.findall("testsuite")
    if not suites:
        raise UsageError("has no test suite", file=file, expected=_EXPECTED)
    report = Report(suites=suites)
    for suite in suites:
        report.properties.update(
            (each.get("name", ""), each.get("value", "")) for each in suite.findall("properties/property")
        )
        report.seconds += number(suite, "time", file)
        began = _moment(suite.get("timestamp"), file)
        if began is not None and (report.began is None or began < report.began):
            report.began = began
        _read_cases(suite, report)
    return report


def _read_cases(suite: ET.Element, report: Report) -> None:
    elements: dict[Key, list[ET.Element]] = {}
    for element in suite.findall("testcase"):
        key = (element.get("classname", ""), element.get("name", ""))
        if any(each.get("message") in _NO_TESTS for each in element):
            if element.find("error") is not None:
                report.broken.append(".".join(filter(None, key)))
            continue
        elements.setdefault(key, []).append(element)
    for key, found in elements.items():
        report.cases[key] = case_of(
            key, [*report.cases[key].elements, *found] if key in report.cases else found
        )


def case_of(key: Key, elements: Iterable[ET.Element]) -> Case:
    """Judge what a report says of one test: whatever failed counts."""
    elements = tuple(elements)
    verdicts = [
        each.get("value", "")
        for element in elements
        for each in element.findall("properties/property")
        if each.get("name") == "verdict"
    ]
    for tag in ("failure", "error", "skipped"):
        found = next((each for element in elements for each in element.findall(tag)), None)
        if found is not None:
            outcome: Outcome = (
                "failed" if tag != "skipped" else "not run" if found.get("type") == NOT_RUN else "skipped"
            )
            reason = found.get("message", "")
            verdict = verdicts[0] if verdicts and outcome == "failed" else ""
            return Case(key=key, elements=elements, outcome=outcome, reason=reason, verdict=verdict)
    return Case(key=key, elements=elements, outcome="passed")


def count_attributes(suite: ET.Element) -> Mapping[str, str]:
    """Return the numbers that a suite's attributes have to say: of elements, as pytest counts them."""
    cases = suite.findall("testcase")
    tags = Counter(tag for case in cases for tag in {each.tag for each in case})
    return {
        "tests": str(len(cases)),
        "failures": str(tags["failure"]),
        "errors": str(tags["error"]),
        "skipped": str(tags["skipped"]),
    }


def number(element: ET.Element, name: str, file: Path) -> float:
    """Return a number of seconds of an element.

    :raises UsageError: it is none.
    """
    text = element.get(name, "0")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise UsageError("not a number of seconds", file=file, key=name, value=text[:80], expected=_EXPECTED)
    return value


def _moment(text: str | None, file: Path) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            "not a time", file=file, key="timestamp", value=text[:80], expected=_EXPECTED
        ) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


class _Refused(Exception):
    """A document is not worth reading on."""


class _Careful(ET.TreeBuilder):
    """Builds no tree of what no report has."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, name: str, _pubid: str | None, _system: str | None) -> None:
        raise _Refused(f"it declares a document type ({name[:80]}), from which entities could expand")

    def start(self, tag: str, attrs: dict[str, str], /) -> ET.Element:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _Refused(f"it has more than {DEEPEST} elements within each other")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> ET.Element:
        self._depth -= 1
        return super().end(tag)


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    read = 0
    while data := stream.read(_CHUNK):
        read += len(data)
        if read > LARGEST:
            raise _Refused(f"it has more than {LARGEST} bytes")
        yield data


def _parse(file: Path) -> ET.Element:
    parser = ET.XMLParser(target=_Careful())  # noqa: S314 - what makes it unsafe is refused
    try:
        with file.open("rb") as stream:
            for data in _pieces(stream):
                parser.feed(data)
        root: ET.Element = parser.close()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", file=file, expected=_EXPECTED) from error
    except ET.ParseError as error:
        raise UsageError(f"is no whole XML document: {error}", file=file, expected=_EXPECTED) from error
    except (_Refused, LookupError, ValueError) as error:  # an encoding that nobody knows is one of the latter
        raise UsageError(f"is refused: {error}", file=file, expected=_EXPECTED) from error
    return root
