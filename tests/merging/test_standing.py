"""Which outcome of a test stands when it ran again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.merging.junit import Case
from harness.merging.standing import run_again

if TYPE_CHECKING:
    from harness.merging.accounts import Outcome

OUTCOMES: tuple[tuple[Outcome, str], ...] = (
    ("passed", ""),
    ("skipped", ""),
    ("not run", ""),
    ("failed", "rig"),
    ("failed", "product"),
    ("failed", "backend"),
    ("failed", "suite"),
    ("failed", ""),
)


def case(outcome: Outcome, verdict: str = "", name: str = "test_it") -> Case:
    """Return a case."""
    return Case(key=("", name), elements=(), outcome=outcome, verdict=verdict)


@pytest.mark.parametrize(
    ("earlier", "later", "stands"),
    [
        (("failed", "rig"), ("passed", ""), 1),
        (("failed", "rig"), ("failed", "product"), 1),
        (("failed", "rig"), ("not run", ""), 0),
        (("failed", "rig"), ("skipped", ""), 1),
        (("failed", "product"), ("passed", ""), 0),
        (("failed", "backend"), ("passed", ""), 0),
        (("failed", "suite"), ("passed", ""), 0),
        (("failed", ""), ("passed", ""), 0),
        (("passed", ""), ("failed", "product"), 1),
        (("passed", ""), ("not run", ""), 0),
        (("passed", ""), ("skipped", ""), 0),
        (("skipped", ""), ("passed", ""), 1),
        (("not run", ""), ("skipped", ""), 1),
        (("not run", ""), ("not run", ""), 1),
    ],
)
def test_repetition_makes_good_the_rig_only(
    earlier: tuple[Outcome, str], later: tuple[Outcome, str], stands: int
) -> None:
    """A later pass makes up for a failure of the rig and for what did not run, and for no other failure."""
    (again,) = run_again([[case(*earlier)], [case(*later)]])

    assert again.stands == stands
    assert [number for number, _ in again.others] == [1 - stands]


@given(st.lists(st.sampled_from(OUTCOMES), min_size=2, max_size=5))
def test_fault_of_the_product_is_never_hidden(attempts: list[tuple[Outcome, str]]) -> None:
    """However often a test ran: with one failure that is not the rig's, it has failed."""
    (again,) = run_again([[case(*attempt)] for attempt in attempts])

    outcome, verdict = attempts[again.stands]
    faults = {attempt for attempt in attempts if attempt[0] == "failed" and attempt[1] != "rig"}
    assert (outcome, verdict) in faults if faults else outcome != "failed" or verdict == "rig"
    if outcome == "not run":
        assert set(attempts) == {("not run", "")}
    assert sorted([again.stands, *(number for number, _ in again.others)]) == list(range(len(attempts)))


def test_each_test_is_decided_by_itself() -> None:
    """Tests of one session only are not among those that ran again."""
    first = [case("passed", name="a"), case("failed", "rig", name="b")]
    second = [case("passed", name="b"), case("passed", name="c")]

    (again,) = run_again([first, second])

    assert again.key == ("", "b")
