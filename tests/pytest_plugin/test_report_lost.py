"""Allure takes what the controller writes of a test for the same test as what a worker writes."""

from __future__ import annotations

import pytest
from allure_commons.model2 import Parameter
from allure_pytest.utils import (  # type: ignore[import-untyped]  # it ships no types
    ParsedPytestNodeId,
    get_history_id,
)

from harness.pytest_plugin.report_lost import result_of_lost_test, result_of_test_not_run
from harness.pytest_plugin.report_records import BoardUsed, TestFacts, TestRecord

BOARD = BoardUsed(id="a", kind="k", bench="virtual")


@pytest.mark.parametrize(
    ("nodeid", "name"),
    [
        ("test_x.py::test_a", "test_a"),
        ("suites/nrfcloud/test_x.py::TestOne::TestTwo::test_a", "test_a"),
        ("a/test_x.py::test_a[1-b]", "test_a[1-b]"),
        ("a/test_x.py::test_a[b::c[d]]", "test_a[b::c[d]]"),
    ],
)
def test_it_is_the_same_test(nodeid: str, name: str) -> None:
    """Its full name and its history are those that allure-pytest and we give it in a worker."""
    found = result_of_test_not_run(nodeid, "interrupted", None, epic="x", clean=str)

    whole, _, case = nodeid.partition("[")
    parsed = ParsedPytestNodeId(whole)
    full_name = f"{parsed.package}{''.join(f'.{each}' for each in parsed.class_names)}#{parsed.test_function}"
    shown = [Parameter(name="case", value=case.removesuffix("]"))] if case else []
    assert (found.name, found.fullName) == (name, full_name)
    assert found.historyId == get_history_id(full_name, shown, original_values={})
    assert [(each.name, each.value) for each in found.parameters] == [
        (each.name, each.value) for each in shown
    ]


def test_cases_with_secrets_are_told_apart() -> None:
    """Two that look alike when they are redacted are still two."""
    first, second = (
        result_of_test_not_run(f"x.py::t[{case}]", "", None, epic="x", clean=lambda _text: "***")
        for case in ("secret", "other")
    )

    assert first.historyId != second.historyId
    assert "secret" not in str(first.parameters[0].value)


def test_what_is_known_of_a_test_that_died() -> None:
    """Board, verdict and the whole failure; a test that did not run has its board only."""
    facts = TestFacts(boards=[BOARD], verdict="suite", console_tail="last words", repeat="pytest x")
    record = TestRecord(nodeid="x.py::t", outcome="failed", reason="crashed", details="all", facts=facts)

    died = result_of_lost_test(record, epic="x", clean=str)
    assert died.status == "broken"
    assert {(label.name, label.value) for label in died.labels} >= {("board", "a"), ("verdict", "suite")}
    assert died.statusDetails.message == "suite: crashed"
    assert "last words" in died.statusDetails.trace

    begun = result_of_test_not_run("x.py::t", "interrupted", record, epic="x", clean=str)
    assert begun.status == "unknown"
    assert {label.name for label in begun.labels} == {"epic", "board", "kind", "bench"}

    skipped = result_of_lost_test(TestRecord(nodeid="x.py::t", outcome="skipped"), epic="x", clean=str)
    assert skipped.status == "skipped"
