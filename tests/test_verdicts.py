"""Verdicts: the table of DESIGN, causes, contexts and groups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import (
    BackendFault,
    BackendUnreachable,
    BenchFault,
    BoardFault,
    BoardLost,
    CommandRefused,
    ConsoleTimeout,
    ForbiddenOutput,
    HarnessError,
    LeaseBusy,
    RequestRefused,
    RigFault,
    TestDeadline,
    UsageError,
)
from harness.verdicts import Verdict, judge


def raised(error: BaseException, *, cause: BaseException | None = None) -> BaseException:
    """Raise an error, from a cause if one is given, and return it as a test's failure would hold it."""
    try:
        raise error from cause  # noqa: TRY301 - a traceback is wanted
    except BaseException as caught:  # noqa: BLE001 - groups and outcomes alike
        return caught


def while_handling(first: BaseException, second: BaseException) -> BaseException:
    """Raise the second error while the first is being handled."""
    try:
        try:
            raise first
        finally:
            raise second
    except BaseException as caught:  # noqa: BLE001 - groups and outcomes alike
        return caught


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (UsageError("x"), "usage"),
        (RigFault("x"), "rig"),
        (BoardLost("x"), "rig"),
        (LeaseBusy("x"), "rig"),
        (BenchFault("x"), "rig"),
        (BackendFault("x"), "backend"),
        (RequestRefused("Claim", 409, "taken"), "backend"),
        (BackendUnreachable("x"), "backend"),
        (BoardFault("x"), "product"),
        (ConsoleTimeout("x"), "product"),
        (ForbiddenOutput("x"), "product"),
        (CommandRefused("AT", "ERROR"), "product"),
        (TestDeadline("x"), "suite"),
        (HarnessError("of no class of its own"), "suite"),
        (TypeError("x"), "suite"),
        (OSError("x"), "suite"),
    ],
)
def test_each_class_has_its_verdict(error: BaseException, verdict: str) -> None:
    """Every class of the exception tree, and any other, is judged as DESIGN says, board or no board."""
    assert judge(error) == verdict
    assert judge(error, board_answers=lambda: True, used_a_backend=True) == verdict


def test_a_deadline_on_a_dead_board() -> None:
    """A test that ran out of time on a board that answers nothing any more says: the rig."""
    error = raised(TestDeadline("x"))

    assert judge(error, board_answers=lambda: False) is Verdict.RIG
    assert judge(raised(TypeError("x")), board_answers=lambda: False) is Verdict.SUITE
    handling = while_handling(ConsoleTimeout("x"), TestDeadline("x"))
    assert judge(handling, board_answers=lambda: False) is Verdict.PRODUCT


def test_a_deadline_in_several_fixtures_on_a_dead_board() -> None:
    """Fixtures that were interrupted one after the other come as a group: the rig, all the same."""
    group = ExceptionGroup("tear-down", [TestDeadline("x"), ExceptionGroup("more", [TestDeadline("y")])])

    assert judge(raised(group), board_answers=lambda: False) is Verdict.RIG
    assert judge(raised(group), board_answers=lambda: True) is Verdict.SUITE
    assert judge(raised(group)) is Verdict.SUITE


def test_a_failed_check_blames_the_product_only_while_the_board_answers() -> None:
    """An assertion blames the product if the board answers, the rig if it does not or the probe raises."""

    def probe_that_raises() -> bool:
        raise BoardLost("gone")

    assert judge(AssertionError(), board_answers=lambda: True) is Verdict.PRODUCT
    assert judge(AssertionError(), board_answers=lambda: False) is Verdict.RIG
    assert judge(AssertionError(), board_answers=probe_that_raises) is Verdict.RIG


def test_a_failed_check_without_a_board() -> None:
    """Without a board the service is what was checked; with neither, the suite checked itself."""
    assert judge(AssertionError(), used_a_backend=True) is Verdict.BACKEND
    assert judge(AssertionError()) is Verdict.SUITE


def test_pytests_own_failure_is_a_failed_check_when_named() -> None:
    """``pytest.raises`` that caught nothing is a failed check, like an assertion."""
    with pytest.raises(pytest.fail.Exception) as caught, pytest.raises(ValueError, match="never"):
        pass

    verdict = judge(
        caught.value,
        board_answers=lambda: True,
        failed_checks=(AssertionError, pytest.fail.Exception),
    )
    assert verdict is Verdict.PRODUCT


def test_the_probe_is_asked_only_when_it_decides() -> None:
    """A board is not disturbed for an error whose class says it all, and only once for a group of checks."""
    asked: list[str] = []

    def probe() -> bool:
        asked.append("probe")
        return True

    judge(BackendFault("x"), board_answers=probe)
    assert asked == []

    judge(ExceptionGroup("two", [AssertionError(), AssertionError()]), board_answers=probe)
    assert asked == ["probe"]


def test_a_rig_fault_among_the_causes_decides() -> None:
    """On a failed rig nothing can be said of the product, whatever was made of the fault."""
    error = raised(ConsoleTimeout("nothing came"), cause=raised(BoardLost("gone"), cause=OSError(5, "EIO")))

    assert judge(error, board_answers=lambda: True) is Verdict.RIG


def test_an_unknown_error_is_judged_by_its_cause() -> None:
    """A wrapper of a test's own does not hide what it was raised from or while handling."""
    assert judge(raised(RuntimeError("wrapped"), cause=RequestRefused("Claim", 500, "x"))) is Verdict.BACKEND
    assert judge(while_handling(CommandRefused("AT", "ERROR"), KeyError("clean-up"))) is Verdict.PRODUCT
    assert judge(raised(RuntimeError("wrapped"), cause=KeyError("x"))) is Verdict.SUITE


def test_a_context_does_not_outweigh_a_known_error() -> None:
    """What was merely being handled when a known error was raised is not its cause."""
    error = while_handling(BoardLost("expected by the test"), AssertionError("then this"))
    assert judge(error, board_answers=lambda: True) is Verdict.PRODUCT

    error = while_handling(BoardLost("expected by the test"), RequestRefused("Claim", 500, "x"))
    assert judge(error) is Verdict.BACKEND


def test_a_suppressed_context_is_not_looked_at() -> None:
    """``raise ... from None`` says that the context does not matter."""
    error = while_handling(BoardLost("gone"), RuntimeError("x"))
    assert judge(error) is Verdict.RIG

    error.__suppress_context__ = True
    assert judge(error) is Verdict.SUITE


@pytest.mark.parametrize(
    ("members", "verdict"),
    [
        ([AssertionError(), RigFault("x")], "rig"),
        ([RigFault("x"), UsageError("x")], "usage"),
        ([BoardFault("x"), BackendFault("x")], "backend"),
        ([TypeError("x"), BoardFault("x")], "product"),
        ([TypeError("x"), AssertionError()], "product"),
        ([TypeError("x"), KeyError("x")], "suite"),
        ([ExceptionGroup("inner", [RigFault("x")]), AssertionError()], "rig"),
    ],
)
def test_of_a_group_the_member_that_explains_the_others_decides(
    members: list[Exception], verdict: str
) -> None:
    """A group, nested or not, is judged by its most telling member, alone or as a cause."""
    group = ExceptionGroup("several", members)

    assert judge(group, board_answers=lambda: True) == verdict
    assert judge(raised(RuntimeError("wrapped"), cause=group), board_answers=lambda: True) == verdict


def test_errors_that_name_each_other_are_judged_all_the_same() -> None:
    """A group that is the context of its own member, and a cycle of causes, come to an end."""
    member = RuntimeError("x")
    group = ExceptionGroup("x", [member])
    member.__context__ = group
    assert judge(group) is Verdict.SUITE

    first, second = RuntimeError("1"), RuntimeError("2")
    first.__cause__, second.__cause__ = second, first
    assert judge(first) is Verdict.SUITE


_LEAVES = st.sampled_from(
    [RigFault, BoardFault, BackendFault, UsageError, AssertionError, ValueError, OSError]
)


@given(
    st.recursive(_LEAVES.map(lambda kind: kind("x")), lambda inner: st.lists(inner, min_size=1, max_size=3))
)
def test_every_tree_of_groups_has_one_verdict(tree: object) -> None:
    """The verdict on a tree of groups is the first, in the table's order, among the verdicts on leaves."""
    leaves: list[BaseException] = []

    def build(node: object) -> BaseException:
        if isinstance(node, list):
            return BaseExceptionGroup("x", [build(child) for child in node])
        assert isinstance(node, BaseException)
        leaves.append(node)
        return node

    verdict = judge(build(tree), board_answers=lambda: True)

    order = ["usage", "rig", "backend", "product", "suite"]
    assert verdict == min((judge(leaf, board_answers=lambda: True) for leaf in leaves), key=order.index)


def test_every_verdict_explains_itself() -> None:
    """Each verdict has a sentence for the report, different from the others'."""
    assert len({verdict.meaning for verdict in Verdict}) == len(Verdict) == 5
