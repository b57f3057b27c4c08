"""One JUnit report of several: a suite for each session, in which each test is once in the whole report."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from harness.merging.junit import accounts_of, count_attributes
from harness.merging.runs import ACCOUNTS_PROPERTY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from harness.merging.junit import Case, Key
    from harness.merging.runs import Run

_SUMS = ("errors", "failures", "skipped", "tests")


def write_report(
    file: Path,
    runs: Iterable[Run],
    *,
    left_out: Mapping[Run, frozenset[Key]],
    remarks: Mapping[Run, Mapping[Key, Sequence[str]]],
) -> None:
    """Write the report.

    :param runs: the sessions, in the order of their suites.
    :param left_out: tests of a session whose outcome in another one stands.
    :param remarks: by session and test, what the test came to in others.
    """
    root = ET.Element("testsuites", name="harness merge")
    seconds = 0.0
    for run in runs:
        if run.report is None:
            continue
        seconds += run.report.seconds
        gone, noted = left_out.get(run, frozenset()), remarks.get(run, {})
        kept = [case for key, case in run.report.cases.items() if key not in gone]
        for number, suite in enumerate(run.report.suites):
            root.append(_suite(run, suite, gone, noted, kept if number == 0 else ()))
    for name in _SUMS:
        root.set(name, str(total(root, name)))
    root.set("time", f"{seconds:.3f}")
    file.write_bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def total(suites: Iterable[ET.Element], name: str) -> int:
    """Return the sum of a number that each suite says."""
    return sum(int(suite.get(name, "0")) for suite in suites)


def _suite(
    run: Run,
    suite: ET.Element,
    gone: frozenset[Key],
    noted: Mapping[Key, Sequence[str]],
    kept: Sequence[Case],
) -> ET.Element:
    made = ET.Element("testsuite", suite.attrib | {"name": run.name})
    properties = ET.SubElement(made, "properties")
    known = {each.get("name", ""): each.get("value", "") for each in suite.findall("properties/property")}
    for each in suite.findall("properties/property"):
        if each.get("name") != ACCOUNTS_PROPERTY:
            properties.append(each)
    if kept or ACCOUNTS_PROPERTY in known:
        _add_property(properties, ACCOUNTS_PROPERTY, str(accounts_of(kept)))
    if run.runner:
        _add_property(properties, "runner", run.runner)
    for each in suite:
        if each.tag == "properties":
            continue
        key = (each.get("classname", ""), each.get("name", ""))
        if each.tag == "testcase" and key in gone:
            continue
        made.append(_with_remarks(each, noted[key]) if each.tag == "testcase" and key in noted else each)
    made.attrib.update(count_attributes(made))
    return made


def _with_remarks(case: ET.Element, remarks: Sequence[str]) -> ET.Element:
    made = copy(case)  # what was read stays as it was read
    properties = made.find("properties")
    if properties is None:
        properties = ET.Element("properties")
    else:
        made.remove(properties)
        properties = copy(properties)
    made.insert(0, properties)
    for remark in remarks:
        _add_property(properties, "retried", remark)
    return made


def _add_property(properties: ET.Element, name: str, value: str) -> None:
    ET.SubElement(properties, "property", name=name, value=value)
