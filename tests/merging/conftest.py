"""Results of sessions, made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.merging.made_up_runs import TESTS, MadeUpRun, share

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shards(tmp_path: Path) -> tuple[Path, Path]:
    """Both shards of a run of five tests."""
    first = MadeUpRun(
        tests={"test_0": "passed", "test_1": "skipped"}, run_id="aaaa", share=share(1, 2, TESTS, taken=2)
    )
    second = MadeUpRun(
        tests={"test_2": "passed", "test_3": "passed", "test_4": "passed"},
        run_id="bbbb",
        share=share(2, 2, TESTS, taken=3),
    )
    return first.write(tmp_path / "one"), second.write(tmp_path / "two")
