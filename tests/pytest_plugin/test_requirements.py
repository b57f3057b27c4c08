"""What the scheduler hears of a test: what it needs of how many boards, and with which tests it stays."""

from __future__ import annotations

import pytest

from harness.errors import UsageError
from harness.inventory.board import Board
from harness.pytest_plugin.handover import Requirement
from harness.pytest_plugin.placement import Offer, place, requirement_of
from harness.scheduling.needs import BoardNeed

pytest_plugins = ["pytester"]

SUITE = """
    import pytest
    from harness.pytest_plugin.markers import EachBoard

    each = pytest.mark.parametrize("board", [EachBoard(board_id="b1"), EachBoard(kind="k")], indirect=True)
    together = pytest.mark.keep_together

    @pytest.fixture
    def pair(boards): return boards

    @pytest.fixture
    def single(board): return board

    def test_none(): ...
    @pytest.mark.board(count=3)
    def test_count_without_boards(): ...
    @pytest.mark.board(kind="k", count=3)
    def test_three(boards): ...
    @pytest.mark.board(count=1)
    def test_three_of_one(boards): ...
    @pytest.mark.board(count=2)
    def test_pair(pair): ...
    def test_single(single): ...
    @pytest.mark.board(kind="x")
    @each
    def test_each(board): ...

    @pytest.mark.board(count=2)
    def test_bad_board(single): ...
    def test_bad_boards(pair): ...
    @pytest.mark.board(count=2)
    def test_bad_both(pair, board): ...
    @together(3)
    def test_bad_together(): ...

    @together
    @pytest.mark.parametrize("number", [1, 2])
    def test_cases(number): ...
    @pytest.mark.parametrize("number", [pytest.param(1, marks=together), 2])
    def test_one_case(number): ...
    @together("modem")
    def test_named(): ...
    @together
    @each
    def test_on_each(board): ...

    @together
    class TestClass:
        def test_one(self): ...
        @together("modem")
        def test_other(self): ...
    class TestHeir(TestClass): ...

    @pytest.mark.board(count=2)
    class TestOverOurs:
        @pytest.fixture
        def boards(self, boards): return boards
        def test_own(self, boards): ...
"""
OWN_FIXTURES = """
    import pytest

    @pytest.fixture
    def boards(): return "mine"
    def test_own(boards): ...
"""


@pytest.fixture(scope="module")
def module_tests() -> dict[str, pytest.Item]:
    """The tests of a module, by name; collected once."""
    return {}


@pytest.fixture
def items(pytester: pytest.Pytester, module_tests: dict[str, pytest.Item]) -> dict[str, pytest.Item]:
    """The tests, by their id without the file."""
    if not module_tests:
        quiet = [argument for name in ("randomly", "cacheprovider") for argument in ("-p", f"no:{name}")]
        pytester.makepyfile(test_them=SUITE, test_own=OWN_FIXTURES)
        collected, _ = pytester.inline_genitems(*quiet)
        module_tests.update({item.nodeid.partition("::")[2]: item for item in collected})
    return module_tests


@pytest.mark.parametrize(
    ("test", "need", "count"),
    [
        ("test_none", None, 1),
        ("test_count_without_boards", None, 1),
        ("test_three", BoardNeed(kind="k"), 3),
        ("test_three_of_one", BoardNeed(), 1),
        ("test_pair", BoardNeed(), 2),
        ("test_single", BoardNeed(), 1),
        ("test_each[board0]", BoardNeed(kind="x", board_id="b1"), 1),
        ("test_each[board1]", BoardNeed(kind="k"), 1),
        ("test_own", None, 1),
        ("TestOverOurs::test_own", BoardNeed(), 2),
    ],
)
def test_boards(items: dict[str, pytest.Item], test: str, need: BoardNeed | None, count: int) -> None:
    """Boards are needed by who takes our fixtures, directly or by others, and as many as the marker says."""
    assert requirement_of(items[test]) == Requirement(need=need, count=count)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (
            "test_bad_board",
            "board(count=): the fixture 'board' is one board (got 2); expected the fixture 'boards'",
        ),
        (
            "test_bad_boards",
            "board(count=): the fixture 'boards' needs to know how many; expected the marker @py",
        ),
        (
            "test_bad_both",
            "boards: the test takes both 'board' and 'boards', perhaps in a fixture of its own; exp",
        ),
        ("test_bad_together", "keep_together: malformed marker (got '3'); expected at most one NAME, a text"),
    ],
)
def test_what_does_not_go_together(items: dict[str, pytest.Item], test: str, message: str) -> None:
    """Fixture and marker have to fit each other; the message names the test and says what to do."""
    with pytest.raises(UsageError) as caught:
        requirement_of(items[test])
    assert str(caught.value).startswith(f"test_them.py::{test}: {message}")


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("test_cases[1]", "test_them.py::test_cases"),
        ("test_cases[2]", "test_them.py::test_cases"),
        ("test_one_case[1]", "test_them.py::test_one_case"),
        ("test_one_case[2]", None),
        ("test_named", "'modem'"),
        ("TestClass::test_one", "test_them.py::TestClass"),
        ("TestClass::test_other", "'modem'"),
        ("TestHeir::test_one", "test_them.py::TestHeir"),
        ("test_on_each[board0]", "test_them.py::test_on_each on b1"),
        ("test_on_each[board1]", "test_them.py::test_on_each on k"),
    ],
)
def test_groups(items: dict[str, pytest.Item], test: str, group: str | None) -> None:
    """The nearest marker counts: a name joins everywhere, none joins the class, the module or the cases."""
    assert requirement_of(items[test]).group == group


def test_too_few_boards(items: dict[str, pytest.Item]) -> None:
    """Of a test for which there are too few boards nothing is told to the scheduler, unless more may come."""
    boards = [Board(id=name, kind="k", driver="d") for name in ("b1", "b2")]
    reason = "2 fit, 3 are needed at once: each a board of kind k; boards of this session: b1 fits; b2 fits"

    skipped = place(items["test_three"], Offer(boards=boards, backends={}, known_backends=()))
    failed = place(
        items["test_three"], Offer(boards=boards, backends={}, known_backends=(), strict_boards=True)
    )
    waiting = place(
        items["test_three"], Offer(boards=boards, backends={}, known_backends=(), late_boards=True)
    )

    assert (skipped.skip, skipped.requirement) == (reason, Requirement())
    assert (failed.fail, failed.requirement) == (f"{reason} (--strict-boards)", Requirement())
    assert waiting.requirement == Requirement(need=BoardNeed(kind="k"), count=3)
    assert len(waiting.boards) == 2
