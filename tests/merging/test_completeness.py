"""Whatever goes missing on the way from several hosts is noticed, and nothing else is complained of."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.merging.accounts import Accounts
from harness.merging.merge import merge
from harness.merging.runs import Source
from harness.sharding import part_of
from tests.merging.made_up_runs import MadeUpRun, share

if TYPE_CHECKING:
    from collections.abc import Mapping

OUTCOMES = st.sampled_from(["passed", "failed rig", "failed product", "error", "skipped", "not run"])
_COUNTED = {"error": "failed", "failed rig": "failed", "failed product": "failed", "not run": "not_run"}


def counted(tests: Mapping[str, str]) -> Accounts:
    """Count by hand."""
    outcomes = [_COUNTED.get(outcome, outcome) for outcome in tests.values()]
    return Accounts(**{name: outcomes.count(name) for name in ("passed", "failed", "skipped", "not_run")})


@settings(max_examples=30, deadline=None)
@given(
    tests=st.dictionaries(st.from_regex(r"test_[a-z]{1,4}(\[[ -~]{0,5}\])?", fullmatch=True), OUTCOMES),
    parts=st.integers(1, 4),
    lost_shard=st.none() | st.integers(1, 4),
    lost_test=st.none() | st.integers(0, 30),
)
def test_what_is_missing_is_noticed(
    tests: dict[str, str], parts: int, lost_shard: int | None, lost_test: int | None
) -> None:
    """A shard or a single test: what is there is in the sum, and what is not is complained of."""
    names = sorted(tests)
    there: dict[str, str] = {}
    lost = False
    with tempfile.TemporaryDirectory() as directory:
        sources = []
        for part in range(1, parts + 1):
            own = {name: tests[name] for name in names if part_of(name, parts) == part}
            taken = len(own)
            if part == lost_shard and parts > 1:
                lost = True
                continue
            if lost_test is not None and own and lost_test < len(names):
                lost = own.pop(names[lost_test], None) is not None or lost
            run = MadeUpRun(tests=own, share=share(part, parts, names, taken=taken), run_id=f"{part}")
            sources.append(Source(directory=run.write(Path(directory, str(part)))))
            there |= own

        made = merge(sources, Path(directory, "merged"))

    assert made.accounts == counted(there)
    assert bool(made.complaints) == lost
    assert made.is_good == (not lost and not made.accounts.failed and not made.accounts.not_run)
