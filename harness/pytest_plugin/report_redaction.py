"""Redaction in front of everything that a session reports.

First in the worker, before a report is serialised (:func:`clean_report`), then again in front of each
writer: :func:`clean_data` for Allure's results and the summary, :func:`clean_junit` for JUnit's document;
terminal, log file and cache have guards of their own (:mod:`harness.pytest_plugin.report_terminal`).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.report_records import FACTS_ATTRIBUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from xml.etree.ElementTree import Element

    from harness.pytest_plugin.state import ActiveSession

    Clean = Callable[[str], str]


# What execnet sends from a worker to the controller; it asks for these types themselves, not for their heirs.
_SENDABLE = (type(None), bool, int, float, complex, str, bytes)
_SENDABLE_GROUPS = (list, tuple, set, frozenset)


def clean_report(report: pytest.TestReport | pytest.CollectReport, clean: Clean) -> None:
    """Redact a report in place: failure text, captured output, properties; all of it can be sent then."""
    if isinstance(report, pytest.TestReport):
        report.user_properties = [(sendable(name), sendable(value)) for name, value in report.user_properties]
    report.longrepr = clean_data(report.longrepr, clean)
    report.sections = clean_data(report.sections, clean)
    for attribute in ("user_properties", "wasxfail", FACTS_ATTRIBUTE):
        if hasattr(report, attribute):
            setattr(report, attribute, clean_data(getattr(report, attribute), clean))


def encodable(text: str) -> str:
    """Return a text with each half of a character written as an escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def sendable(value: Any) -> Any:
    """Return what a test recorded in a form that a worker can send: of what it cannot send, its text.

    JUnit's file shows the same as without workers: the text of the value.
    """
    kind = type(value)
    if kind in _SENDABLE:
        return value
    if kind in _SENDABLE_GROUPS:
        return kind(sendable(each) for each in value)
    if kind is dict:
        return {sendable(key): sendable(each) for key, each in value.items()}
    return str(value)


def clean_data(data: Any, clean: Clean) -> Any:
    """Redact every text in plain data or in pytest's representation of a failure.

    Lists and tuples are copied, representation objects are changed in place. A list of lines is redacted as
    one text, because a private key spans many of them. The texts can be encoded, whatever a test made of a
    board's bytes: xdist and writers of reports end with an internal error where that is not so.
    """
    if isinstance(data, str):
        return encodable(clean(data))
    if isinstance(data, list) and data and all(isinstance(line, str) for line in data):
        text = "\n".join(data)
        cleaned = encodable(clean(text))
        return data if cleaned == text else cleaned.split("\n")
    if isinstance(data, (list, tuple)):
        return type(data)(clean_data(value, clean) for value in data)
    if isinstance(data, dict):
        return {clean_data(key, clean): clean_data(value, clean) for key, value in data.items()}
    if dataclasses.is_dataclass(data) and not isinstance(data, type):
        for field in dataclasses.fields(data):
            setattr(data, field.name, clean_data(getattr(data, field.name), clean))
    return data


def clean_junit(config: pytest.Config, clean: Clean) -> None:
    """Redact what pytest's JUnit writer is about to write; does nothing without ``--junit-xml``."""
    from _pytest.junitxml import xml_key

    xml = config.stash.get(xml_key, None)
    if xml is None:
        return
    xml.global_properties[:] = clean_data(xml.global_properties, clean)
    for reporter in xml.node_reporters_ordered:
        if "attrs" in vars(reporter):  # its test is not over: these become elements when all is written
            reporter.attrs = clean_data(reporter.attrs, clean)
            reporter.properties[:] = clean_data(reporter.properties, clean)
        _clean_element(reporter.to_xml(), clean)
    xml.suite_name = clean(xml.suite_name)


def _clean_element(root: Element, clean: Clean) -> None:
    for element in root.iter():
        for name, value in element.attrib.items():
            element.set(name, clean(value))
        element.text = clean(element.text) if element.text else element.text
        element.tail = clean(element.tail) if element.tail else element.tail


def clean_exception(error: BaseException, clean: Clean) -> None:
    """Redact what an exception, and all that led to it, says when it is shown."""
    pending, seen = [error], set[int]()
    while pending:
        each = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        each.args = clean_data(each.args, clean)
        vars(each).update(
            {name: clean(value) for name, value in vars(each).items() if isinstance(value, str)}
        )
        if isinstance(each, OSError):
            each.strerror, each.filename = clean_data((each.strerror, each.filename), clean)
        notes: list[str] | None = getattr(each, "__notes__", None)
        if notes:
            notes[:] = clean_data(notes, clean)
        pending += [link for link in (each.__cause__, each.__context__) if link is not None]
        # pytest's own failure of a conftest keeps what failed as an attribute
        pending += [link for link in vars(each).values() if isinstance(link, BaseException)]
        pending += getattr(each, "exceptions", ())


class InnerRedaction:
    """Redacts each report before any other plugin sees it."""

    def __init__(self, session: ActiveSession) -> None:
        """Use the session's redactor."""
        self._clean = session.redactor.redact

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Redact what pytest made of an outcome."""
        report = yield
        clean_report(report, self._clean)
        return report

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Redact what pytest made of a module that cannot be collected."""
        report = yield
        clean_report(report, self._clean)
        return report
