"""Redaction of reports and of what JUnit writes."""

from __future__ import annotations

from typing import Any

import pytest

from harness.pytest_plugin.report_redaction import clean_data, clean_report

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
