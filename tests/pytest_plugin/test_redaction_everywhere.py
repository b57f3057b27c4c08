"""Secrets of a run, raw and in every encoding, over everything that is left behind: none.

The control runs, with the redactor switched off, prove that the search finds each of them in each place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pytest_plugin.leaks.search import found_in
from tests.pytest_plugin.leaks.sessions import CANARIES, Leavings, run_session

if TYPE_CHECKING:
    from pathlib import Path

WAYS = {
    "captured": ["-v"],
    "live": ["-s", "--tb=native"],
    "workers, live": ["-n", "2", "-s", "-v"],
}
#: Where each secret is found when nothing is redacted.
SINKS = {
    "terminal",
    "junit.xml",
    "allure results",
    "allure attachments",
    "summary.html",
    "summary.json",
    "reports.jsonl",
    "warnings.txt",
}
#: Further ones of some ways; each worker of xdist truncates the log file of the others.
FURTHER = {
    "captured": {"log.txt"},
    "live": {"log.txt", "standard error"},
    "workers, live": {"standard error"},
}
CRASH_SINKS = ("terminal", "junit.xml", "summary.html", "allure results")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """A way to run the tests."""
    name: str = request.param
    return name


def findings(left: Leavings, *names: str) -> dict[str, set[str]]:
    """Return which canaries were found in each sink: of all, or of some."""
    wanted = {name: left.canaries[name] for name in names or left.canaries}
    return {sink: found_in(data, wanted) for sink, data in left.sinks.items()}


def test_no_secret_is_left_behind(tmp_path: Path, way: str) -> None:
    """Not in the terminal, any report, log, cache or other file, nor ever in the arguments of a process."""
    (tmp_path / "suite").mkdir()

    left = run_session(tmp_path / "suite", WAYS[way], redacted=True)

    assert left.code == 1, left.sinks["terminal"].decode()[-3000:]
    assert set(CANARIES) <= set(left.canaries)
    assert {sink: found for sink, found in findings(left).items() if found} == {}
    assert b"[redacted: " in left.sinks["terminal"]
    arguments = b"\n".join(left.arguments)
    assert b"harness.backends.serving" in arguments, "no process was seen"
    assert found_in(arguments, left.canaries) == set()
    assert left.environments, "neither bench nor fake was seen"
    key = {"key": left.canaries["environment"]}
    assert not any(found_in(each.partition(b"NRFCLOUD_API_KEY=")[2], key) for each in left.environments)


def test_without_redaction_each_is_found(tmp_path: Path, way: str) -> None:
    """The same session with the redactor off leaves each secret in each place: the search can find them."""
    (tmp_path / "suite").mkdir()

    left = run_session(tmp_path / "suite", WAYS[way], redacted=False)

    assert left.code == 1, left.sinks["terminal"].decode()[-3000:]
    found = findings(left, *CANARIES)
    missing = {
        sink: set(CANARIES) - found[sink] for sink in SINKS | FURTHER[way] if set(CANARIES) - found[sink]
    }
    assert missing == {}
    assert "hook" in found["cache"]
    if "-n" in WAYS[way]:
        crash = findings(left, "crash")
        assert [sink for sink in CRASH_SINKS if not crash[sink]] == []
