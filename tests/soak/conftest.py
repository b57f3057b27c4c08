"""What all soak tests share: how long they are, their rounds, and what is printed of them.

A property is tested twice: by hypothesis, which shrinks what fails, and by many cheap rounds of our own
(``rounds``), which cost a hundredth. ``HARNESS_SOAK_SCALE`` scales both (``make soak`` sets 1).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.soak.support.rounds import SEED, Rounds, scaled

if TYPE_CHECKING:
    from collections.abc import Generator

    from _pytest.terminal import TerminalReporter

EXAMPLES = 2_000
PROFILE = "soak"
SUMMARY = "soak"

settings.register_profile(
    PROFILE,
    max_examples=scaled(EXAMPLES),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give each test of this directory the profile; tests elsewhere keep theirs."""
    test = getattr(item, "obj", None)
    if test is not None and getattr(test, "is_hypothesis_test", False):
        settings(settings.get_profile(PROFILE))(test)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say what the rounds of a test came to, and what repeats the one that failed."""
    rounds = getattr(item, "funcargs", {}).get("rounds")
    if isinstance(rounds, Rounds) and call.when == "call":
        item.user_properties.append((SUMMARY, rounds.summary))
    report = yield
    if isinstance(rounds, Rounds) and call.when == "call" and report.failed:
        report.sections.append(("to repeat this round", rounds.where))
    return report


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the numbers of all rounds."""
    lines = [
        f"{report.nodeid.rpartition('/')[2]}: {value}"
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in getattr(report, "user_properties", [])
        if name == SUMMARY and report.when == "call"
    ]
    if lines:
        terminalreporter.section(f"soak, seed {SEED}")
        for line in sorted(lines):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A directory for files that each example overwrites."""
    return str(tmp_path_factory.mktemp("soak"))


@pytest.fixture
def rounds(request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> Rounds:
    """The rounds of a test."""

    def say(line: str) -> None:
        with capfd.disabled():
            print(line, file=sys.stderr, flush=True)  # noqa: T201 - news of a long test, at once

    return Rounds(request.node.name, say)
