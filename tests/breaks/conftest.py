"""Runs the sessions of the breaks, two at a time, and shows at the end who noticed what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.breaks.support.catalogue import Sort, all_breaks, all_suites
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
    """Run sessions of the suites."""
    with SessionPool() as pool:
        yield pool


class Collected:
    """The tests among which those are that notice breaks, collected when somebody asks."""

    def __init__(self) -> None:
        """Collect nothing yet."""
        self._found: dict[tuple[Sort, str], list[str]] = {}

    def of(self, sort: Sort, suite: str) -> list[str]:
        """Return the tests of a suite, or of the harness those files that are to notice a break."""
        place = (sort, suite if sort is Sort.SUITE else "")
        if place not in self._found:
            self._found[place] = (
                collect([suite], suite=suite) if sort is Sort.SUITE else _collect_of_harness()
            )
        return self._found[place]


def _collect_of_harness() -> list[str]:
    own = {file for each in all_breaks() if each.sort is Sort.HARNESS for file in each.files}
    try:
        return collect(own, Sort.HARNESS) if own else []
    except RuntimeError:
        # One of the files is gone or broken; the breaks that it should notice say so, and only they.
        return [test for file in sorted(own) for test in _collect_alone(file)]


def _collect_alone(file: str) -> list[str]:
    try:
        return collect([file], Sort.HARNESS)
    except RuntimeError:
        return []


@pytest.fixture(scope="session")
def collected() -> Collected:
    """The tests among which those are that notice breaks."""
    return Collected()


@pytest.fixture(scope="session")
def controls(
    request: pytest.FixtureRequest, pool: SessionPool, collected: Collected
) -> dict[str, Future[SessionResult]]:
    """The sessions without a break that were selected, by what they are of."""
    return {place: _begin_unbroken(place, pool, collected) for place in _selected(request.session, "control")}


@pytest.fixture(scope="session")
def runs(
    request: pytest.FixtureRequest,
    controls: dict[str, Future[SessionResult]],  # before all others: they take longest
    pool: SessionPool,
    collected: Collected,
) -> dict[str, BreakRun]:
    """Every break that was selected, begun at once; the pool runs as many at a time as it may."""
    del controls
    chosen: list[Break] = _selected(request.session, "defect")
    return {each.plugin: _begin(each, pool, collected.of(each.sort, each.suite)) for each in chosen}


@pytest.fixture(params=[*all_suites(), "tests"], ids=lambda place: place.rpartition("/")[2], scope="session")
def control(
    request: pytest.FixtureRequest, controls: dict[str, Future[SessionResult]]
) -> Future[SessionResult]:
    """The session without a break of a suite, or of the harness's own tests."""
    return controls[request.param]


def _selected(session: pytest.Session, parameter: str) -> list[Any]:
    """Return the values of a parameter in the order of the tests that were selected."""
    found = [item.callspec.params for item in session.items if hasattr(item, "callspec")]
    return [each[parameter] for each in found if parameter in each]


def _begin_unbroken(place: str, pool: SessionPool, collected: Collected) -> Future[SessionResult]:
    """Run without a break each test of a suite, or of the harness, that must notice one.

    Not whole suites: about what no break names this says nothing, and ``make suites`` runs it.
    """
    sort = Sort.HARNESS if place == "tests" else Sort.SUITE
    own = [
        each for each in all_breaks() if each.sort is sort and (sort is Sort.HARNESS or each.suite == place)
    ]
    there = collected.of(sort, place)
    named = {test for each in own for test in each.choose(there)}
    chosen = [test for test in there if test in named]
    if sort is Sort.HARNESS:
        return pool.submit(chosen, sort=sort)
    return pool.submit([*chosen, "--boards=2"], suite=place)  # some tests take two


def _begin(defect: Break, pool: SessionPool, tests: list[str]) -> BreakRun:
    try:
        expected = defect.choose(tests)
    except LookupError as error:
        return BreakRun(problem=str(error))
    batches = [[test] for test in expected] if defect.separate else [expected]
    sessions = [
        pool.submit(batch, plugin=defect.plugin, sort=defect.sort, suite=defect.suite) for batch in batches
    ]
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
