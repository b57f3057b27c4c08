"""Sessions whose boards fall silent: with workers and without, in tests of one board and of several."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.pytest_plugin.conftest import Suite

if TYPE_CHECKING:
    from collections.abc import Iterator

# A toy whose driver can tell whether it answers, and a vendor's own rung of the ladder.
VENDOR = """
    import re
    from harness.errors import HarnessError
    from harness.health.steps import RecoveryStep, Rung
    from tests.pytest_plugin.toy.parts import ToyDriver

    class Driver(ToyDriver):
        def health(self):
            self._board.console.write(b"SAY well\\n")
            self._board.console.expect(re.compile(rb"well"), timeout=0.7, reason="whether it is well")
            return True

    def harness_make_driver(board):
        return Driver(board)

    def harness_recover_board(board):
        return [RecoveryStep(name="a kick", rung=Rung.NUDGE, action=board.virtual.reset, settles=0)]
    """


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite with that vendor."""
    runtime = Path(tempfile.mkdtemp(prefix="hp"))
    suite = Suite(tmp_path_factory.mktemp("h"), runtime, measured=False)
    suite.write("vendor_of_tests.py", VENDOR)
    suite.environment["HARNESS_PLUGINS"] += ",vendor_of_tests"
    suite.environment["PYTHONPATH"] += f":{suite.directory}"
    yield suite
    shutil.rmtree(runtime)


def run(suite: Suite, name: str, *options: str) -> tuple[dict[str, Any], str]:
    """Run one file of the suite; return the summary's data and what was written."""
    (suite.directory / "s.json").unlink(missing_ok=True)
    ran = suite.run(name, "--bench", "virtual", "--summary", "s.html", *options)
    data: dict[str, Any] = json.loads((suite.directory / "s.json").read_text(encoding="utf-8"))
    data["code"] = ran.code
    return data, ran.out


@pytest.mark.parametrize("workers", ["0", "auto"])
def test_a_board_that_falls_silent_in_a_test_is_brought_back_for_the_next(suite: Suite, workers: str) -> None:
    """The test that it failed in has failed; those behind it pass, and their reports say what was done."""
    suite.write(
        "test_silence.py",
        """
        import pytest

        @pytest.mark.parametrize("until", ["reset", "power"])
        def test_hangs(board, until):
            board.virtual.hang(until)
            pytest.fail("it went wrong")

        @pytest.mark.parametrize("number", range(4))
        def test_goes_on(board, number):
            board.driver.set("x")
            assert board.driver.get() == "x"
        """,
    )
    data, out = run(
        suite,
        "test_silence.py",
        "--boards",
        "toy-a=1",
        "-n",
        workers,
        "--test-deadline",
        "3",
        "--alluredir=al",
    )

    outcomes = {test["nodeid"].partition("::")[2]: test["outcome"] for test in data["tests"]}
    failed = {name for name, outcome in outcomes.items() if outcome == "failed"}
    assert failed == {"test_hangs[reset]", "test_hangs[power]"}, out
    assert len(outcomes) == 6
    story = [line[9:] for line in data["story"]]
    silent = "does not answer, after test_silence.py::test_hangs"
    assert len([line for line in story if line.startswith(f"board toy-a-0 {silent}[")]) == 2, out
    assert "board toy-a-0: it answers again after a kick" in story
    assert "board toy-a-0: it answers again after a power cycle" in story
    shown = [file.read_text() for file in (suite.directory / "al").glob("*-attachment.txt")]
    assert any("it answers again after a power cycle" in text for text in shown)
    results = [json.loads(file.read_text()) for file in (suite.directory / "al").glob("*-result.json")]
    assert {test["name"] for test in results if "health of the board" in json.dumps(test)} <= set(outcomes)
    assert "recovered at " in json.dumps(data["tests"])


@pytest.mark.parametrize("workers", ["0", "auto"])
def test_a_dead_board_leaves_tests_of_several_boards_to_the_others(suite: Suite, workers: str) -> None:
    """Two of three are enough for two; what needs all three fails by the rig's fault, with the reason."""
    suite.write(
        "test_several.py",
        """
        import pytest

        @pytest.mark.board(count=3)
        def test_three(boards):
            raise AssertionError("there are not three")

        @pytest.mark.parametrize("number", range(2))
        @pytest.mark.board(count=2)
        def test_two(boards, number):
            assert "toy-a-1" not in [board.id for board in boards]
            for board in boards:
                board.driver.set("x")

        def test_one(board):
            assert board.id != "toy-a-1"
        """,
    )
    suite.write(
        "conftest.py",
        """
        def harness_board_leased(board):
            if board.id == "toy-a-1":
                board.virtual.hang("never")
        """,
    )
    try:
        data, out = run(suite, "test_several.py", "--boards", "toy-a=3", "-n", workers)
    finally:
        (suite.directory / "conftest.py").unlink()

    outcomes = {test["nodeid"].partition("::")[2]: test["outcome"] for test in data["tests"]}
    assert outcomes == {
        "test_three": "failed",
        "test_two[0]": "passed",
        "test_two[1]": "passed",
        "test_one": "passed",
    }, out
    (three,) = (test for test in data["tests"] if test["nodeid"].endswith("test_three"))
    assert three["verdict"] == "rig", out
    assert "not run: board toy-a-1 does not answer: " in three["reason"]
    assert "neither a kick, its reset line nor a power cycle helped" in three["reason"]
    assert "4 collected = 3 passed + 1 failed + 0 skipped + 0 not run" in out
