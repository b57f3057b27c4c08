"""The search for causes: the same whatever the order and the names, and never sure of what it cannot know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.history.causes import BACKGROUND, Cause, Causes, Run, Sort, find_causes
from harness.history.flakiness import runs_of
from harness.history.streaks import SHORTEST, find_broken
from tests.history.farms import Farm

if TYPE_CHECKING:
    from random import Random

RUNS = st.lists(
    st.builds(
        Run,
        test=st.sampled_from("abc"),
        board=st.sampled_from(["x", "y", ""]),
        session=st.sampled_from("12345"),
        failed=st.booleans(),
        started=st.floats(0, 10),
    ),
    max_size=60,
)


def named(causes: Causes) -> dict[Cause, int]:
    """Return each believed cause, and its rate in percent."""
    return {one.cause: round(100 * one.rate) for one in causes.believed}


@settings(max_examples=40, deadline=None)
@given(RUNS)
def test_rates_are_probabilities(runs: list[Run]) -> None:
    """Whatever was recorded, each cause has a rate, no cause is certain, and each is named once."""
    causes = find_causes(runs)

    believed = [cause for one in causes.believed for cause in (one.cause, *one.rivals)]
    assert all(0 < one.rate < 1 for one in causes.believed)
    assert len(believed) == len(set(believed))
    assert BACKGROUND <= causes.background < 1


@settings(max_examples=40, deadline=None)
@given(RUNS)
def test_streaks_are_failures_to_the_end(runs: list[Run]) -> None:
    """Whatever was recorded, what is broken failed in its last runs, and at least three times."""
    runs.sort(key=lambda run: run.started)

    broken = find_broken(runs)

    for name, streak in (*broken.tests.items(), *broken.boards.items()):
        mine = [run for run in runs if name in {run.test, run.board}]
        assert len(streak.runs) >= SHORTEST
        assert all(run.failed for run in streak.runs)
        assert set(streak.runs) <= set(mine)
        assert streak.since == streak.runs[0].started


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_order_of_the_runs_does_not_matter(chance: Random) -> None:
    """What is found is the same in whichever order runs are read."""
    runs = runs_of(Farm(flaky_tests={1: 0.5}, flaky_boards={0: 0.4}).attempts(1))
    found = find_causes(runs)
    chance.shuffle(runs)

    assert named(find_causes(runs)) == named(found)
    assert {one.cause.sort for one in found.believed} == {Sort.TEST, Sort.BOARD}


def test_rates_are_estimated_together() -> None:
    """A flaky test's failures on a flaky board are shared out between the two."""
    farm = Farm(sessions=400, flaky_tests={1: 0.4}, flaky_boards={0: 0.3})

    rates = {one.cause: one.rate for one in find_causes(runs_of(farm.attempts(1))).believed}

    assert {cause.sort: rate for cause, rate in rates.items()} == {
        Sort.TEST: pytest.approx(0.4, abs=0.06),
        Sort.BOARD: pytest.approx(0.3, abs=0.06),
    }


def test_nothing_to_explain() -> None:
    """Without failures, and without runs, there is no cause."""
    assert find_causes([]) == Causes()
    assert find_causes(runs_of(Farm(noise=0.0).attempts(1))) == Causes()
