"""Attempts put together from reports: one for each try of a test, with its board and its blame."""

from __future__ import annotations

from typing import Any

import pytest

from harness.history.attempts import NO_KIND, Attempt
from harness.pytest_plugin.past_attempts import HeardAttempts
from harness.pytest_plugin.report_records import FINAL_ATTRIBUTE, BoardUsed
from harness.pytest_plugin.unrun import UNRUN_ATTRIBUTE
from tests.pytest_plugin.phases import KIT, TEST, report

OTHER = BoardUsed(id="kit-1", kind="large kit", bench="virtual")


def hear(*reports: pytest.TestReport, **options: Any) -> list[Attempt]:
    """Return what is over after some reports."""
    heard = HeardAttempts("run", "suite", **options)
    return [attempt for each in reports if (attempt := heard.add(each)) is not None]


def test_phases_make_one_attempt() -> None:
    """Its seconds are those of all phases, its beginning that of the first."""
    phases = (report("setup", start=5.0), report("call", start=6.0), report("teardown", start=7.0))

    assert hear(*phases) == [
        Attempt(
            session="run",
            project="suite",
            test=TEST,
            kind="kit",
            board="kit-0",
            outcome="passed",
            seconds=3.0,
            started=5.0,
        )
    ]
    assert hear(*phases[:2]) == []


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (("passed", "passed", "passed"), "passed"),
        (("passed", "failed", "passed"), "failed"),
        (("failed", None, "passed"), "failed"),
        (("passed", "passed", "failed"), "failed"),
        (("passed", "skipped", "passed"), "skipped"),
        (("skipped", None, "passed"), "skipped"),
        (("passed", "skipped", "failed"), "failed"),
        (("skipped", None, "failed"), "failed"),
    ],
)
def test_outcome(outcomes: tuple[str | None, ...], expected: str) -> None:
    """A failure of any phase is one of the attempt, and what was skipped did not pass."""
    phases = [
        report(when, outcome)
        for when, outcome in zip(("setup", "call", "teardown"), outcomes, strict=True)
        if outcome
    ]

    assert [attempt.outcome for attempt in hear(*phases)] == [expected]


def test_expected_failure_counts_as_skipped() -> None:
    """It is no failure, and says nothing of how long the test takes."""
    phases = (report("setup"), report("call", "skipped", wasxfail="known"), report("teardown"))

    assert [attempt.outcome for attempt in hear(*phases)] == ["skipped"]


def test_first_failure_is_to_blame() -> None:
    """What fails while the fixtures are torn down does not hide who failed before."""
    phases = (
        report("setup"),
        report("call", "failed", verdict="product"),
        report("teardown", "failed", verdict="rig"),
    )

    assert [attempt.verdict for attempt in hear(*phases)] == ["product"]


def test_retried_attempt() -> None:
    """One that is followed by another is over when it fails, whatever is reported of its end."""
    attempts = hear(
        report("setup"),
        report("call", "rerun", verdict="rig"),
        report("teardown", "rerun", verdict="product"),
        report("setup", boards=[OTHER]),
        report("call", boards=[OTHER]),
        report("teardown", boards=[OTHER]),
    )

    assert [(one.attempt, one.board, one.outcome, one.verdict) for one in attempts] == [
        (1, "kit-0", "failed", "rig"),
        (2, "kit-1", "passed", ""),
    ]


def test_failure_that_counts_after_all_is_told_once() -> None:
    """Where no other attempt followed, the same failure is reported again; it happened once."""
    again = report("call", "failed", verdict="rig", **{FINAL_ATTRIBUTE: True})

    attempts = hear(report("setup"), report("call", "rerun", verdict="rig"), report("teardown"), again)

    assert len(attempts) == 1


def test_crash() -> None:
    """Of a test whose worker died counts what was known of its board, and else who had the worker."""
    crash = report("???", "failed", verdict="suite", boards=[])
    (known,) = hear(report("setup"), crash)
    (asked,) = hear(crash, board_of=lambda _report: OTHER)
    (unknown,) = hear(crash)

    assert (known.outcome, known.verdict, known.board) == ("failed", "suite", "kit-0")
    assert (asked.board, asked.kind) == ("kit-1", "large kit")
    assert (unknown.board, unknown.kind) == ("", NO_KIND)


def test_crash_during_setup_began_when_the_test_did() -> None:
    """The report of a crash does not say when the test began."""
    heard = HeardAttempts("run", "suite")
    heard.begin(TEST, 77.0)

    attempt = heard.add(report("???", "failed", start=0.0))

    assert attempt is not None
    assert attempt.started == 77.0


def test_test_that_was_never_begun_is_no_attempt() -> None:
    """What was reported in the place of a test that did not run says nothing of test and board."""
    unrun = report("call", "failed", verdict="rig", **{UNRUN_ATTRIBUTE: True})

    assert hear(unrun, report("teardown")) == []
    assert len(hear(unrun, report("teardown"), report("setup"), report("call"), report("teardown"))) == 1


def test_several_boards() -> None:
    """A test of several boards has one to run on, and others."""
    (attempt,) = hear(
        *(report(when, boards=[KIT, OTHER]) for when in ("setup", "call", "teardown")),
    )

    assert (attempt.board, attempt.kind, attempt.others) == ("kit-0", "kit", ("kit-1",))


def test_tests_of_several_workers() -> None:
    """What workers report comes in any order."""
    attempts = hear(
        report("setup"),
        report("setup", test="test_b"),
        report("call", "failed", test="test_b"),
        report("call"),
        report("teardown", test="test_b"),
        report("teardown"),
    )

    assert [(one.test, one.outcome) for one in attempts] == [("test_b", "failed"), (TEST, "passed")]


def test_subtests_have_the_time_of_their_test() -> None:
    """A failed part fails the attempt, and its seconds are not counted twice."""
    part = report("call", "failed", context=object())

    (attempt,) = hear(report("setup"), part, report("call"), report("teardown"))

    assert (attempt.outcome, attempt.seconds) == ("failed", 3.0)


def test_nothing_is_known_of_its_call() -> None:
    """A plugin took the call away: nobody knows what the attempt came to."""
    assert hear(report("setup"), report("teardown")) == []


def test_ids_are_redacted() -> None:
    """A secret among a test's parameters reaches no history."""
    phases = (report(when, test="test_b[teddy]") for when in ("setup", "call", "teardown"))

    (attempt,) = hear(*phases, clean=lambda text: text.replace("teddy", "[redacted: name]"))

    assert attempt.test == "test_b[[redacted: name]]"
