"""One session mends a board that hangs and quarantines one that is dead; the next one leaves that out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from tests.measuring import unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KIND = "nrf9160dk-virtual"
BOARDS = ("dead", "hung", "well")
SUITE = """
import pytest

@pytest.mark.parametrize("number", range(6))
def test_asks(board, number):
    assert board.driver.functional_mode() >= 0
"""
RUN_SECONDS = 300


@dataclass(frozen=True)
class Ran:
    """How a session ended.

    :ivar tests: the summary's data of each test.
    :ivar story: what the summary tells of its boards.
    """

    code: int
    out: str
    tests: list[dict[str, Any]]
    story: str

    @property
    def boards(self) -> set[str]:
        """The boards on which tests ran."""
        return {board["id"] for test in self.tests for board in test["boards"]}


class Site:
    """A bench that outlives its sessions, and a directory for them."""

    def __init__(self, directory: Path, socket: Path) -> None:
        self._directory = directory
        self._bench = f"virtual={socket}"

    def _do(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *words],
            cwd=self._directory,
            env={**unmeasured(os.environ), "HARNESS_STATE_DIR": str(self._directory / "state")},
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )

    def run(self, *options: str) -> Ran:
        quiet = [
            word for name in ("randomly", "cacheprovider", "pytest_cov") for word in ("-p", f"no:{name}")
        ]
        (self._directory / "test_it.py").write_text(SUITE, encoding="utf-8")
        (self._directory / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
        (self._directory / "s.json").unlink(missing_ok=True)
        ran = self._do(
            "pytest", *quiet, "test_it.py", "--bench", self._bench, "--summary", "s.html", *options
        )
        if not (self._directory / "s.json").exists():
            return Ran(ran.returncode, ran.stdout + ran.stderr, [], "")
        data = json.loads((self._directory / "s.json").read_text(encoding="utf-8"))
        return Ran(ran.returncode, ran.stdout + ran.stderr, data["tests"], "\n".join(data["story"]))

    def harness(self, *words: str) -> str:
        ran = self._do("harness.cli", *words, "--bench", self._bench)
        return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A bench on which one board hangs until its power is cycled, and one is dead for good."""
    directory = tmp_path_factory.mktemp("h")
    with start_bench(directory / "b", [(KIND, name, {}) for name in BOARDS]) as bench:
        with BenchClient(bench.socket) as client:
            client.board("hung").hang("power")
            client.board("dead").hang("never")
        yield Site(directory, bench.socket)


@pytest.fixture(scope="module")
def first(site: Site) -> Ran:
    """The session that finds them."""
    return site.run("-n", "auto")


def test_nobodys_test_fails_for_it(first: Ran) -> None:
    """What the dead board was to run the others did; all tests passed, on two of three boards."""
    assert first.code == 0, first.out
    assert [test["outcome"] for test in first.tests] == ["passed"] * 6
    assert first.boards == {"hung", "well"}
    assert "6 collected = 6 passed + 0 failed + 0 skipped + 0 not run" in first.out


def test_a_hung_board_is_recovered_by_a_power_cycle(first: Ran) -> None:
    """The reset was tried before, and both are told, in the summary and on the terminal."""
    for text in (
        "board hung does not answer, before its first test: ",
        "board hung: its reset line did not help: ",
        "board hung: it answers again after a power cycle",
    ):
        assert text in first.story
        assert text in first.out
    assert "board hung" not in first.story.partition("quarantined")[2]


def test_a_dead_board_is_quarantined(first: Ran) -> None:
    """With the reason: what was tried did not help."""
    assert "board dead does not answer" in first.story
    assert "neither its reset line nor a power cycle helped" in first.story
    assert "quarantined until " in first.story


@pytest.fixture(scope="module")
def second(site: Site, first: Ran) -> Ran:
    """The session after it."""
    return site.run("-n", "0")


def test_the_next_session_leaves_it_out_and_says_why(second: Ran) -> None:
    """The dead board is not asked again; the reason is in the header."""
    assert second.code == 0, second.out
    assert second.boards <= {"hung", "well"}
    assert "2 boards" in second.out
    header = second.out.partition("collected")[0]
    (line,) = [each for each in header.splitlines() if "dead" in each]
    assert "quarantine" in line
    assert "does not answer" in line
    assert "dead" not in second.story


def test_who_asks_for_it_by_name_is_told_how_to_lift_it(site: Site, second: Ran) -> None:
    """A usage error, with the reason and the command."""
    ran = site.run("-n", "0", "--board", "dead")

    assert ran.code == 4
    assert "does not answer" in ran.out
    assert "harness quarantine lift" in ran.out
    assert "Traceback" not in ran.out
