"""Whether a failure counts: no fault of the product is ever hidden by trying a test again."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.pytest_plugin.retry_decision import RetryDecision
from harness.verdicts import Verdict

VERDICTS = [None, *map(str, Verdict)]
RIG = str(Verdict.RIG)


@dataclass(frozen=True)
class Failure:
    """A failed phase, and whether another board is there for its test when it fails."""

    phase: str = "call"
    verdict: str | None = RIG
    elsewhere: bool = True


FAILURES = st.builds(
    Failure,
    phase=st.sampled_from(["setup", "call", "teardown", "???"]),
    verdict=st.sampled_from([RIG, *VERDICTS]),
    elsewhere=st.sampled_from([True, True, False]),
)
TRIES = st.lists(st.lists(FAILURES, max_size=4), max_size=6)


def try_once(decision: RetryDecision, failures: list[Failure], test: str = "t") -> tuple[list[bool], bool]:
    """Go through a try; return whether each failure does not count, and whether another try follows."""
    decision.begin(test)
    hidden = [
        decision.is_tried_again(
            test,
            phase=failure.phase,
            verdict=failure.verdict,
            elsewhere=lambda failure=failure: failure.elsewhere,  # type: ignore[misc]  # mypy infers no default
        )
        for failure in failures
    ]
    return hidden, decision.end(test)


@given(limit=st.integers(0, 3), tries=TRIES)
def test_nothing_but_the_rigs_failures_is_hidden(limit: int, tries: list[list[Failure]]) -> None:
    """Whatever fails in whatever order: a try is followed by another one only if the rig alone failed in it.

    Then a board was there for it, the test had not come through its call, and tries were left.
    """
    decision = RetryDecision(limit)
    used = 0
    for failures in tries:
        hidden, again = try_once(decision, failures)
        for failure, is_hidden in zip(failures, hidden, strict=True):
            assert not is_hidden or failure.verdict == RIG
        if again:
            used += 1
            assert all(hidden)
            assert failures[0].phase in {"setup", "call"}
            assert failures[0].elsewhere
        elif failures:
            assert not all(hidden), "a test has failed and nothing says so"
    assert used <= limit


@pytest.mark.parametrize("verdict", [verdict for verdict in VERDICTS if verdict != RIG])
def test_whoever_else_is_to_blame(verdict: str | None) -> None:
    """What product, backend, suite or user did wrong counts at once, and behind a failure of the rig."""
    wrong = Failure(verdict=verdict)

    assert try_once(RetryDecision(9), [wrong]) == ([False], False)
    assert try_once(RetryDecision(9), [Failure(), wrong]) == ([True, False], False)
    assert try_once(RetryDecision(9), [Failure("setup"), Failure("teardown", verdict)]) == (
        [True, False],
        False,
    )


def test_the_rig_alone() -> None:
    """It is tried again as often as was asked for, each test by itself, and the last try counts."""
    decision = RetryDecision(2)

    for test in ("one", "two"):
        assert try_once(decision, [Failure("setup")], test) == ([True], True)
        assert try_once(decision, [Failure(), Failure("teardown")], test) == ([True, True], True)
        assert try_once(decision, [Failure()], test) == ([False], False)


def test_what_is_not_tried_again_although_the_rig_failed() -> None:
    """A test that came through, one that no other board could take, and one whose process died."""
    for failure in (Failure("teardown"), Failure(elsewhere=False), Failure("???")):
        assert try_once(RetryDecision(9), [failure]) == ([False], False)


def test_a_try_that_was_cut_off_is_forgotten() -> None:
    """A crash that another plugin runs again ends a try nobody tells the end of; the next one passes."""
    decision = RetryDecision(1)
    assert decision.is_tried_again("t", phase="call", verdict=RIG, elsewhere=lambda: True)

    assert try_once(decision, []) == ([], False)
    assert not decision.end("never heard of")
