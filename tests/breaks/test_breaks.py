"""Each defect that we put into our own fake, board or harness is noticed, by assertion about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.breaks.support.catalogue import all_breaks
from tests.breaks.support.judge import complaints

if TYPE_CHECKING:
    from concurrent.futures import Future

    from tests.breaks.conftest import BreakRun
    from tests.breaks.support.catalogue import Break
    from tests.breaks.support.sessions import SessionResult

# Sessions that wait for their turn are in it: what a single one may take the pool sees to.
WAIT_SECONDS = 600.0


@pytest.mark.parametrize("defect", all_breaks(), ids=lambda defect: defect.name)
def test_break_is_noticed(
    defect: Break, runs: dict[str, BreakRun], noticed: dict[str, tuple[str, ...]]
) -> None:
    """Every expected test fails, by an assertion about what is broken."""
    run = runs[defect.plugin]
    assert not run.problem
    results = [session.result(WAIT_SECONDS) for session in run.sessions]
    cases = [case for result in results for case in result.cases]

    found = complaints(cases, run.expected, defect.about)

    tails = "\n".join(result.tail for result in results)
    assert not found, "\n".join([f"break: {defect.title}", *found, tails])
    noticed[defect.title] = tuple(run.expected)


def test_unbroken_is_green(control: Future[SessionResult]) -> None:
    """Without a break every test passes and none is skipped: what the others show is the breaks' doing."""
    result = control.result(WAIT_SECONDS)

    assert result.code == 0, result.tail
    assert result.cases
    assert {case.outcome for case in result.cases} == {"passed"}, result.tail
