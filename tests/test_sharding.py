"""One collection shared out among runners that do not know of each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.sharding import Share, digest_of, part_of

EIGHT_PARTS = [1, 1, 3, 3, 2, 1, 3, 3]
IDS = st.text(st.characters(exclude_categories=()), max_size=30)


@given(IDS, st.integers(1, 50))
def test_each_test_is_in_one_part(test: str, parts: int) -> None:
    """Whatever a test is called, lone surrogates included, it is in one part, and always in the same."""
    part = part_of(test, parts)

    assert 1 <= part <= parts
    assert part_of(test, parts) == part


def test_part_is_the_same_in_every_process() -> None:
    """Python's own hash differs from process to process; ours never, nor between versions of the harness."""
    assert [part_of(f"tests/test_it.py::test_{number}", 3) for number in range(8)] == EIGHT_PARTS


def test_parts_are_of_about_one_size() -> None:
    """Of many tests no runner has much more than its part."""
    parts = [part_of(f"tests/test_it.py::test_{number}", 4) for number in range(4000)]

    assert all(900 < parts.count(part) < 1100 for part in range(1, 5))


@given(st.lists(IDS, unique=True, max_size=5), st.randoms())
def test_digest_is_of_the_collection_and_not_of_its_order(tests: list[str], random: object) -> None:
    """Runners that shuffle have the same collection, and one test more or less is another one."""
    shuffled = list(tests)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis's own Random

    assert digest_of(shuffled) == digest_of(tests)
    assert digest_of([*tests, "one/more"]) != digest_of(tests)


@given(
    st.builds(
        Share,
        part=st.integers(1, 9999),
        parts=st.integers(1, 9999),
        taken=st.integers(0, 10**6),
        tests=st.integers(0, 10**6),
        own=st.integers(0, 10**6),
        digest=st.builds(digest_of, st.lists(IDS, max_size=2)),
    )
)
def test_share_is_read_as_it_was_written(share: Share) -> None:
    """What a session writes into its reports is what merging reads."""
    assert Share.parse(str(share)) == share


@pytest.mark.parametrize(
    "text", ["", "1/2", "1/2: 3 of 4 tests", "1/2: 3 of 4 tests, collection x", "a" * 99]
)
def test_other_texts_are_no_share(text: str) -> None:
    """A text that merging does not understand is not guessed at."""
    assert Share.parse(text) is None
