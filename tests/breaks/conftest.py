"""Runs the sessions of the breaks, two at a time, and shows at the end who noticed what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

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
def control(pool: SessionPool) -> Future[SessionResult]:
    """The whole suite without a break."""
    return pool.submit([])


@pytest.fixture(scope="session")
def runs(
    request: pytest.FixtureRequest, pool: SessionPool, control: Future[SessionResult]
) -> dict[str, BreakRun]:
    """Every break that was selected, begun at once; the pool runs as many at a time as it may."""
    suite = collect()
    return {each.name: _begin(each, pool, suite) for each in _selected(request.session)}


def _selected(session: pytest.Session) -> list[Break]:
    parameters = [item.callspec.params for item in session.items if hasattr(item, "callspec")]
    return [each["defect"] for each in parameters if "defect" in each]


def _begin(defect: Break, pool: SessionPool, suite: list[str]) -> BreakRun:
    try:
        expected = defect.choose(suite)
    except LookupError as error:
        return BreakRun(problem=str(error))
    batches = [[test] for test in expected] if defect.separate else [expected]
    return BreakRun(expected, [pool.submit(batch, plugin=defect.plugin) for batch in batches])


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
