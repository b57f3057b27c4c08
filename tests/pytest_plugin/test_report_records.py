"""Records: every collected test ends in exactly one account."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.pytest_plugin.report_records import Attempt, BoardUsed, SessionRecords, TestFacts


def report(
    nodeid: str = "suites/nrfcloud/test_x.py::test_a",
    when: str = "call",
    outcome: str = "passed",
    longrepr: Any = None,
    facts: TestFacts | None = None,
    **attributes: Any,
) -> pytest.TestReport:
    """Make a report as pytest does."""
    parts: dict[str, Any] = {"outcome": outcome, "longrepr": longrepr, "when": when, "duration": 0.25}
    made = pytest.TestReport(nodeid, ("test_x.py", 0, "test_a"), {}, **parts)
    if facts is not None:
        facts.put_on(made)
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def a_run(*outcomes: str, nodeid: str = "suites/nrfcloud/test_x.py::test_a") -> list[pytest.TestReport]:
    """Make the reports of setup, call and teardown."""
    phases: tuple[str, ...] = ("setup", "call", "teardown")
    return [
        report(nodeid, when, outcome, "boom" if outcome == "failed" else None)
        for when, outcome in zip(phases, outcomes, strict=False)
    ]


def a_try(verdict: str = "", *, board: str = "a", again: bool = True) -> list[pytest.TestReport]:
    """Make the reports of a try that failed in its call, or passed when nobody is to blame."""
    facts = TestFacts(boards=[BoardUsed(id=board, kind="k", bench="virtual")], verdict=verdict or None)
    outcome = "passed" if not verdict else "rerun" if again else "failed"
    return [
        report(when="setup", facts=TestFacts(boards=facts.boards)),
        report(outcome=outcome, longrepr=f"{board} broke" if verdict else None, facts=facts),
        report(when="teardown", facts=TestFacts(boards=facts.boards)),
    ]


def records_of(*reports: pytest.TestReport) -> SessionRecords:
    """Add reports to new records."""
    records = SessionRecords()
    for each in reports:
        records.add(each)
    return records


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (("passed", "passed", "passed"), "passed"),
        (("failed", "passed"), "failed"),
        (("passed", "failed", "passed"), "failed"),
        (("passed", "passed", "failed"), "failed"),
        (("skipped", "passed"), "skipped"),
        (("passed", "skipped", "passed"), "skipped"),
        (("passed", "skipped", "failed"), "failed"),
    ],
)
def test_three_phases_make_one_outcome(outcomes: tuple[str, ...], expected: str) -> None:
    """A failure in any phase is the test's outcome; a test passes only by its call."""
    (test,) = records_of(*a_run(*outcomes)).tests

    assert test.outcome == expected
    assert test.seconds == pytest.approx(0.25 * len(outcomes))


def test_a_test_that_only_began_is_not_run() -> None:
    """A setup that passed, with nothing after it, is no pass: its worker died before the call."""
    records = records_of(*a_run("passed"))

    assert records.tests == ()
    assert records.not_run == ("suites/nrfcloud/test_x.py::test_a",)
    assert records.accounts.not_run == 1


def test_crashed_test_counts_as_failed() -> None:
    """The report that xdist makes of a crash has a phase of its own; it counts as a failure."""
    crash = report(when="???", outcome="failed", longrepr="worker 'gw0' crashed")
    (test,) = records_of(*a_run("passed"), crash).tests

    assert (test.outcome, test.reason) == ("failed", "worker 'gw0' crashed")


def test_workers_collect_the_same_tests_once() -> None:
    """Each worker of xdist announces all tests; each counts once, and those never reported are not run."""
    records = records_of(*a_run("passed", "passed", "passed", nodeid="a"))
    for _worker in range(4):
        records.collect(["a", "b", "c"])

    assert records.not_run == ("b", "c")
    assert str(records.accounts) == "3 collected = 1 passed + 0 failed + 0 skipped + 2 not run"


def test_a_rerun_is_no_outcome() -> None:
    """A failure that is to be tried again is none; until another try ends, the test is not settled."""
    records = records_of(*a_try("rig"))

    assert records.tests == ()
    assert [record.nodeid for record in records.unsettled] == ["suites/nrfcloud/test_x.py::test_a"]
    assert str(records.accounts) == "1 collected = 0 passed + 0 failed + 0 skipped + 1 not run"


def test_the_last_try_is_the_outcome() -> None:
    """Tries before it are kept apart, each with its board and reason; they are none of the accounts."""
    records = records_of(*a_try("rig", board="a"), *a_try("rig", board="b"), *a_try(board="c"))

    (test,) = records.tests
    assert (test.outcome, test.facts.verdict, test.reason) == ("passed", None, "")
    assert [board.id for board in test.facts.boards] == ["c"]
    assert [str(attempt) for attempt in test.retried] == ["board a: a broke", "board b: b broke"]
    assert [attempt.verdict for attempt in test.retried] == ["rig", "rig"]
    assert test.seconds == pytest.approx(0.75)
    assert records.unsettled == ()
    assert str(records.accounts) == "1 collected = 1 passed + 0 failed + 0 skipped + 0 not run, 2 retried"


@pytest.mark.parametrize(
    ("boards", "said"), [("", "broke"), ("a", "board a: broke"), ("ab", "boards a, b: broke")]
)
def test_a_try_says_on_what_it_failed(boards: str, said: str) -> None:
    """The boards, and the first line of the failure."""
    used = [BoardUsed(id=board, kind="k", bench="virtual") for board in boards]

    assert str(Attempt(boards=used, verdict="rig", reason="broke", seconds=1.0, worker="gw0")) == said


def test_what_fails_after_the_rig_in_one_try_counts_with_it() -> None:
    """Nothing is hidden: the failure that cannot be tried again is the outcome, both texts are kept."""
    first, second, _ = a_try("rig")
    third = report(when="teardown", outcome="failed", longrepr="wrong", facts=TestFacts(verdict="product"))
    records = records_of(first, second, third)

    (test,) = records.tests
    assert (test.outcome, test.reason, test.facts.verdict) == ("failed", "wrong", "product")
    assert test.details == "a broke\nwrong"
    assert records.accounts.retried == 0


def test_a_crash_in_the_first_phase_of_another_try_is_a_failure_of_its_own() -> None:
    """The try before it was over, although nothing was heard of the one that the worker died in."""
    crash = report(when="???", outcome="failed", longrepr="worker crashed")
    records = records_of(*a_try("rig"), crash)

    (test,) = records.tests
    assert (test.outcome, test.details) == ("failed", "worker crashed")
    assert len(test.retried) == 1


def test_a_try_is_over_with_its_parts() -> None:
    """A subtest is told before anybody knows that its test is tried again; then it does not count either."""
    setup, call, teardown = a_try("product")
    part = report(outcome="failed", longrepr="a part", context="of a subtest")
    records = records_of(setup, part, call, teardown, *a_try())

    (test,) = records.tests
    assert (test.outcome, len(test.retried)) == ("passed", 1)


@pytest.mark.parametrize("begun", [False, True])
def test_a_failure_counts_after_all_when_no_try_follows(begun: bool) -> None:  # noqa: FBT001 - a parameter
    """The failure itself becomes the outcome, whether or not another try had begun."""
    records = records_of(*a_try("rig"), *(a_try()[:1] if begun else []))
    records.add(report(outcome="failed", longrepr="a broke", harness_final=True))

    (test,) = records.tests
    assert (test.outcome, test.details) == ("failed", "a broke")
    assert records.unsettled == ()
    assert records.accounts.retried == begun


@pytest.mark.parametrize(
    ("longrepr", "wasxfail", "reason"),
    [
        (("f.py", 3, "Skipped: no board has CSRs"), None, "no board has CSRs"),
        ("text", None, "text"),
        ("text", "known defect", "expected failure: known defect"),
        ("text", "", "expected failure"),
    ],
)
def test_a_skip_says_why(longrepr: Any, wasxfail: str | None, reason: str) -> None:
    """The reason of a skip, and of an expected failure, is kept without pytest's decorations."""
    extra: dict[str, Any] = {} if wasxfail is None else {"wasxfail": wasxfail}
    (test,) = records_of(report(outcome="skipped", longrepr=longrepr, **extra)).tests

    assert test.reason == reason


def test_facts_survive_serialisation() -> None:
    """What a worker says of a test comes out of JSON, as xdist sends it, as it went in."""
    facts = TestFacts(
        suite="nrfcloud",
        boards=[BoardUsed(id="virtual-1", kind="nrf9161dk-virtual", bench="virtual")],
        backends=["nrfcloud=fake"],
        proves=[("claim", "201"), ("claim", "409")],
        verdict="product",
        console_tail="ERROR\n",
        repeat="pytest x",
    )
    data = json.loads(json.dumps(report(facts=facts)._to_json()))

    assert TestFacts.of(pytest.TestReport._from_json(data)) == facts


def test_first_failure_keeps_its_verdict() -> None:
    """A second failure, in the teardown, does not replace the verdict and console of the first."""
    first = report(outcome="failed", longrepr="1\n2", facts=TestFacts(verdict="product", console_tail="tail"))
    second = report(when="teardown", outcome="failed", longrepr="rig", facts=TestFacts(verdict="rig"))
    (test,) = records_of(first, second).tests

    assert (test.facts.verdict, test.facts.console_tail) == ("product", "tail")
    assert (test.reason, test.details) == ("1", "1\n2")


def test_a_report_without_facts_leaves_those_known() -> None:
    """A crash report knows nothing of boards; what the setup said of them stays."""
    facts = TestFacts(boards=[BoardUsed(id="b", kind="k", bench="virtual")])
    (test,) = records_of(report(when="setup", facts=facts), report(outcome="failed", longrepr="x")).tests

    assert [board.id for board in test.facts.boards] == ["b"]


def test_the_suite_is_the_directory_of_the_file() -> None:
    """What the worker says counts; else the test's id tells."""
    (by_id,) = records_of(report("suites/nrfcloud/test_a.py::test_x[1/2]")).tests
    (by_facts,) = records_of(report("test_a.py::test_x", facts=TestFacts(suite="nrfcloud"))).tests

    assert (by_id.suite, by_facts.suite) == ("nrfcloud", "nrfcloud")


_PHASES = st.tuples(
    st.sampled_from("abcd"),
    st.sampled_from(["setup", "call", "teardown"]),
    st.sampled_from(["passed", "failed", "skipped", "rerun"]),
)


@given(collected=st.lists(st.sampled_from("abcdef")), phases=st.lists(_PHASES))
def test_accounts_always_add_up(collected: list[str], phases: list[tuple[str, str, str]]) -> None:
    """Whatever is collected and reported in whatever order, each test is in exactly one account."""
    records = SessionRecords()
    records.collect(collected)
    for nodeid, when, outcome in phases:
        records.add(report(nodeid, when, outcome, longrepr="x"))

    accounts = records.accounts
    assert accounts.collected == len({*collected, *(nodeid for nodeid, _, _ in phases)})
    assert accounts.collected == accounts.passed + accounts.failed + accounts.skipped + accounts.not_run
    assert accounts.not_run == len(records.not_run)
