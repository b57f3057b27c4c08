"""Break: nobody notices that a shard is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.merging import judging
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.merging.runs import Run

TITLE = "nobody notices that a shard is missing"
NOTICED_BY = (
    "tests/merging/test_merge.py::test_missing_shard_is_noticed",
    "tests/merging/test_merge.py::test_other_collection_is_noticed",
    "tests/merging/test_merge.py::test_shard_that_ran_twice_at_once_is_noticed",
    "tests/merging/test_merge.py::test_tests_lost_from_a_share_are_noticed",
)
ABOUT = r"complaints"


@replaces(judging, "_about_shards")
def _about_shards(runs: Sequence[Run]) -> Iterator[str]:
    """Find nothing wrong with any shards."""
    yield from ()
