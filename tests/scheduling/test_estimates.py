"""How long tests are expected to run on a kind of board, and what no order of them can beat."""

from __future__ import annotations

import pytest

from harness.scheduling.backlog import Backlog
from harness.scheduling.bound import lower_bound
from harness.scheduling.estimates import NO_KIND, UNKNOWN, Estimates
from harness.scheduling.work import Work
from tests.scheduling.farm import AB, ABC, KINDS, A, B, C


def column(*seconds: object) -> list[float]:
    """Return what is expected of tests on cars."""
    work = [Work(boards=ABC, seconds=each) for each in seconds]  # type: ignore[arg-type]  # of either sort
    return list(Estimates(work).column("car"))


def test_what_is_known_of_this_kind() -> None:
    """Each kind has its own figures."""
    estimates = Estimates([Work(boards=ABC, seconds={"car": 1.0, "boat": 9.0})])
    assert list(estimates.column("car")) == [1.0]
    assert list(estimates.column("boat")) == [9.0]


def test_what_is_not_known_is_the_median_of_this_kind() -> None:
    """A test that never ran on it is no boat's business, and neither is one that never ran."""
    known = [{"car": 1.0}, {"car": 2.0}, {"car": 6.0}, {"boat": 90.0}, {}]
    assert column(*known) == [1.0, 2.0, 6.0, 2.0, 2.0]


def test_a_kind_of_which_nothing_is_known() -> None:
    """Better what the same test takes elsewhere than nothing; else all are equal."""
    assert column({"boat": 9.0}, {"boat": 2.0, "plane": 4.0}, {}) == [9.0, 3.0, UNKNOWN]


def test_the_same_everywhere() -> None:
    """Without figures by kind all kinds share one column."""
    estimates = Estimates([Work(boards=A, seconds=2.0)])
    assert estimates.column("car") is estimates.column("boat")


@pytest.mark.parametrize("nonsense", [float("nan"), float("inf"), -1.0])
def test_nonsense_is_not_known(nonsense: float) -> None:
    """A history that somebody spoiled sorts no tests."""
    assert column({"car": nonsense}, {"car": 3.0}) == [3.0, 3.0]
    assert column(nonsense, 3.0) == [3.0, 3.0]


def test_a_test_without_a_board() -> None:
    """On whose board it was run makes no difference."""
    work = [Work(boards=None, seconds={"boat": 2.0}), Work(boards=A, seconds={"car": 7.0})]
    assert list(Estimates(work).column("car")) == [2.0, 7.0]
    assert Estimates(work).column(NO_KIND)[0] == 2.0


def test_a_group_takes_as_long_as_all_its_tests() -> None:
    """Or as those that are left."""
    estimates = Estimates([Work(boards=A, seconds=float(one)) for one in (1, 2, 4)], [[0, 1, 2]])
    assert estimates.column("car")[3] == 7.0
    estimates.shorten(3, [1, 2])
    assert estimates.column("car")[3] == 6.0


def test_the_same_set_is_one_need() -> None:
    """However often it was made."""
    backlog = Backlog([Work(boards=frozenset({"a", "b"})), Work(boards=frozenset({"b", "a"}))], KINDS)
    assert len(backlog.every) == 1


# -- the bound ----------------------------------------------------------------------------------------------


def test_no_work_takes_no_time() -> None:
    """And is no division by nothing."""
    assert lower_bound([], KINDS) == 0.0
    assert lower_bound([Work(boards=frozenset())], KINDS) == 1.0


def test_the_longest_test() -> None:
    """Or the longest group."""
    work = [Work(boards=ABC, seconds=5.0), Work(boards=None, seconds=6.0)]
    assert lower_bound(work, KINDS) == 6.0
    assert lower_bound([Work(boards=ABC, seconds=4.0, group="g")] * 2, KINDS) == 8.0


def test_the_tightest_set_of_boards() -> None:
    """Work that fits nowhere else, divided by the boards."""
    own = [Work(boards=C, seconds=1.0)] * 7
    assert lower_bound([*own, *[Work(boards=ABC, seconds=1.0)] * 2], KINDS) == 7.0
    assert lower_bound([*own, *[Work(boards=ABC, seconds=1.0)] * 20], KINDS) == 9.0
    assert lower_bound([*own, *[Work(boards=AB, seconds=1.0)] * 20], KINDS) == 10.0
    overlapping = [*[Work(boards=A | C, seconds=1.0)] * 6, *[Work(boards=A, seconds=1.0)] * 6]
    assert lower_bound([*overlapping, *[Work(boards=C, seconds=1.0)] * 8], KINDS) == 10.0


def test_boards_of_one_kind_that_differ() -> None:
    """What only one of two like boards can do is on it alone."""
    assert lower_bound([*[Work(boards=A, seconds=1.0)] * 4, Work(boards=AB, seconds=1.0)], KINDS) == 4.0


def test_the_least_of_the_kinds_counts() -> None:
    """A bound must not be too high."""
    assert lower_bound([Work(boards=ABC, seconds={"car": 2.0, "boat": 1.0, "plane": 0.1})], KINDS) == 1.0
    assert lower_bound([Work(boards=A, seconds={"boat": 1.0})], KINDS) == 0.0


def test_several_boards_count_each() -> None:
    """And what takes more than half of its boards is never side by side."""
    pairs = [Work(boards=ABC, seconds=2.0, count=2)] * 3
    assert lower_bound(pairs, KINDS, width=False) == 4.0
    assert lower_bound(pairs, KINDS) == 6.0


def test_more_kinds_than_sets_can_be_counted() -> None:
    """The sets that tests ask for, and some of their unions, still count."""
    kinds = {f"b{one}": f"k{one}" for one in range(30)}
    pairs = [
        Work(boards=frozenset({f"b{one}", f"b{other}"}), seconds=1.0)
        for one in range(30)
        for other in range(one)
    ]
    work = [*pairs, *[Work(boards=frozenset({"b3"}), seconds=1.0)] * 5, Work(boards=B)]
    found = lower_bound(work, kinds | KINDS)
    assert 5.0 <= found <= len(work)
