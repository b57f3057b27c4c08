"""Runs the sessions of the breaks, two at a time, and shows at the end who noticed what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.breaks.support.catalogue import SUITE, Sort, all_breaks
from tests.breaks.support.sessions import SessionPool, collect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from tests.breaks.support.catalogue import Break
    from tests.breaks.support.sessions import SessionResult

NOTICED = pytest.StashKey[dict[str, tuple[str, ...]]]()


@dataclass(slots=True)
class BreakRun:
    """One break under way.

    :ivar expected: the tests that must notice it.
    :ivar sessions: those that have it.
    :ivar problem: why there is none.
    """

    expected: list[str] = field(default_factory=list)
    sessions: list[Future[SessionResult]] = field(default_factory=list)
    problem: str = ""


@pytest.fixture(scope="session")
def pool() -> Iterator[SessionPool]:
    """Run sessions of the suite."""
    with SessionPool() as pool:
        yield pool


@pytest.fixture(scope="session")
def collected() -> dict[Sort, list[str]]:
    """The tests among which those are that notice breaks, by sort."""
    own = {file for each in all_breaks() if each.sort is Sort.HARNESS for file in each.files}
    try:
        of_harness = collect(own, Sort.HARNESS) if own else []
    except RuntimeError:
        # One of the files is gone or broken; the breaks that it should notice say so, and only they.
        of_harness = [test for file in sorted(own) for test in _collect_alone(file)]
    return {Sort.SUITE: collect([SUITE]), Sort.HARNESS: of_harness}


def _collect_alone(file: str) -> list[str]:
    try:
        return collect([file], Sort.HARNESS)
    except RuntimeError:
        return []


@pytest.fixture(scope="session")
def runs(
    request: pytest.FixtureRequest, pool: SessionPool, collected: dict[Sort, list[str]]
) -> dict[str, BreakRun]:
    """Every break that was selected, begun at once; the pool runs as many at a time as it may."""
    return {each.name: _begin(each, pool, collected[each.sort]) for each in _selected(request.session)}


@pytest.fixture(params=Sort, ids=lambda sort: sort.name.lower(), scope="session")
def control(
    request: pytest.FixtureRequest, pool: SessionPool, collected: dict[Sort, list[str]]
) -> Future[SessionResult]:
    """Run without a break the whole suite, or each test of the harness that must notice one."""
    sort: Sort = request.param
    if sort is Sort.SUITE:
        return pool.submit([SUITE, "--boards=2"])  # some tests take two
    own = [each for each in all_breaks() if each.sort is sort]
    chosen = {test for each in own for test in each.choose(collected[sort])}
    return pool.submit([test for test in collected[sort] if test in chosen], sort=sort)


def _selected(session: pytest.Session) -> list[Break]:
    parameters = [item.callspec.params for item in session.items if hasattr(item, "callspec")]
    return [each["defect"] for each in parameters if "defect" in each]


def _begin(defect: Break, pool: SessionPool, tests: list[str]) -> BreakRun:
    try:
        expected = defect.choose(tests)
    except LookupError as error:
        return BreakRun(problem=str(error))
    batches = [[test] for test in expected] if defect.separate else [expected]
    sessions = [pool.submit(batch, plugin=defect.plugin, sort=defect.sort) for batch in batches]
    return BreakRun(expected, sessions)


@pytest.fixture
def noticed(request: pytest.FixtureRequest) -> dict[str, tuple[str, ...]]:
    """Take what the table at the end shows: the tests that noticed, by the title of the break."""
    return request.config.stash.setdefault(NOTICED, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show which tests noticed which break."""
    table = config.stash.get(NOTICED, {})
    if not table:
        return
    terminalreporter.section("breaks and the tests that noticed")
    for title, tests in sorted(table.items()):
        terminalreporter.write_line(title)
        for test in tests:
            terminalreporter.write_line(f"    {test}")
    terminalreporter.write_line(f"{len(table)} breaks, all noticed by {sum(map(len, table.values()))} tests")
