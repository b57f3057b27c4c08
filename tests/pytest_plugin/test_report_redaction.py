"""Redaction of reports and of what JUnit writes."""

from __future__ import annotations

from typing import Any

import pytest

from harness.pytest_plugin.report_redaction import clean_data, clean_exception, clean_report

PEM_LINES = ["E     -----BEGIN PRIVATE KEY-----", "E   + MIGHAgEA", "E     -----END PRIVATE KEY-----"]


def clean(text: str) -> str:
    """Take out one word, and a key over several lines."""
    from harness.redaction import Redactor

    return Redactor().redact(text).replace("s3cret", "[gone]")


def test_plain_data_is_copied_clean() -> None:
    """Texts in lists, tuples and dictionaries are redacted, other values and shapes stay."""
    data = {"s3cret": [("a s3cret", 1), None], "n": 3, "nested": {"x": ("s3cret",)}}

    assert clean_data(data, clean) == {
        "[gone]": [("a [gone]", 1), None],
        "n": 3,
        "nested": {"x": ("[gone]",)},
    }


def test_a_list_of_lines_is_redacted_as_one_text() -> None:
    """A key that spans the lines of a traceback is found, though each line has a prefix."""
    assert clean_data(["before", *PEM_LINES, "after"], clean) == [
        "before",
        "E     [redacted: private key]",
        "after",
    ]


def test_a_failure_is_redacted_in_all_its_parts() -> None:
    """Lines, locals, message, causes, sections and properties of a real failure are clean."""
    word = "s3cret"

    def inner(argument: str) -> None:
        local = f"{argument}!"
        raise ValueError(local)

    with pytest.raises(RuntimeError) as caught:
        try:
            inner(word)
        except ValueError as error:
            raise RuntimeError(f"with {word}") from error
    longrepr = caught.getrepr(showlocals=True, style="long", chain=True)
    longrepr.addsection("title", f"{word} text", "-")
    report: Any = pytest.TestReport("t", ("t", 1, "t"), {}, "failed", longrepr, "call")
    report.sections.append(("Captured stdout call", f"printed {word}"))
    report.user_properties.append(("key", word))
    assert report.longreprtext.count(word) >= 5, "locals of both frames, both messages, the section"

    clean_report(report, clean)

    assert word not in str(report._to_json())
    assert word not in report.longreprtext
    assert "[gone] text" in report.longreprtext
    assert "RuntimeError: with [gone]" in report.longreprtext
    assert report.sections == [("Captured stdout call", "printed [gone]")]
    assert report.user_properties == [("key", "[gone]")]


def test_an_exception_is_redacted_with_all_that_led_to_it() -> None:
    """Arguments, notes, attributes, causes, contexts and members of groups are clean, also in a circle."""
    cause = ValueError("s3cret", 7)
    context = OSError(2, "no s3cret", "/home/s3cret")
    member = KeyError("s3cret")
    error = ExceptionGroup("a s3cret group", [member])
    error.__cause__, error.__context__ = cause, context
    cause.__context__ = error
    cause.add_note("note s3cret")
    attributes: Any = member
    attributes.reply, attributes.inner = "s3cret reply", RuntimeError("inner s3cret")

    clean_exception(error, clean)

    assert cause.args == ("[gone]", 7)
    assert cause.__notes__ == ["note [gone]"]
    assert str(context) == "[Errno 2] no [gone]: '/home/[gone]'"
    assert member.args == ("[gone]",)
    assert attributes.reply == "[gone] reply"
    assert str(attributes.inner) == "inner [gone]"


def test_an_attribute_of_a_running_test_is_redacted_in_junit() -> None:
    """JUnit's record of a test that is not over has no element yet; its attributes are clean all the same."""
    from _pytest.junitxml import LogXML, xml_key

    from harness.pytest_plugin.report_redaction import clean_junit

    config: Any = type("Config", (), {"stash": pytest.Stash()})()
    clean_junit(config, clean)  # without JUnit there is nothing to do
    xml = config.stash[xml_key] = LogXML("junit.xml", None, "a s3cret suite")
    reporter = xml.node_reporter("test_it.py::test_it")
    reporter.add_attribute("key", "a s3cret")
    reporter.add_property("s3cret", "value s3cret")
    xml.add_global_property("key", "global s3cret")

    clean_junit(config, clean)

    (element,) = [each.to_xml() for each in xml.node_reporters_ordered]
    assert element.get("key") == "a [gone]"
    assert [(each.get("name"), each.get("value")) for each in element.iter("property")] == [
        ("[gone]", "value [gone]")
    ]
    assert xml.global_properties == [("key", "global [gone]")]
    assert xml.suite_name == "a [gone] suite"
