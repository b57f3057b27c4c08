"""``harness merge``: what it prints, and with what it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.cli.main import execute
from harness.history.attempts import Attempt
from harness.history.store import History
from tests.merging.made_up_runs import MadeUpRun, result, share, write_allure

if TYPE_CHECKING:
    from pathlib import Path

TESTS = ["test_0", "test_1"]


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """The first of two shards, with all that a session leaves."""
    directory = MadeUpRun(tests={"test_0": "passed"}, share=share(1, 2, TESTS, taken=1)).write(
        tmp_path / "one"
    )
    write_allure(directory, "1-result.json", result("1"))
    with History(directory / "history.sqlite3") as history:
        history.begin("a", 1.0).record(
            Attempt(session="a", project="p", test="test_0", outcome="passed", seconds=1.0, started=1.0)
        )
    return directory


def test_whole_run(tmp_path: Path, one: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It says what each session had, the sum, and where everything is, and ends well."""
    two = MadeUpRun(tests={"test_1": "skipped"}, share=share(2, 2, TESTS, taken=1)).write(tmp_path / "two")
    write_allure(two, "2-result.json", result("2"))

    assert execute(["merge", str(one), str(two), "-o", str(tmp_path / "merged")]) == 0

    assert capfd.readouterr().out.splitlines() == [
        "run      collected  passed  failed  skipped  not run  again",
        "one 1/2          1       1       0        0        0      0",
        "two 2/2          1       0       0        1        0      0",
        "2 collected = 1 passed + 0 failed + 1 skipped + 0 not run",
        f"Allure results: {tmp_path}/merged/allure-results (2)",
        f"JUnit: {tmp_path}/merged/junit.xml",
        f"History: {tmp_path}/merged/history.sqlite3 (1 attempts)",
    ]


def test_what_is_wrong_is_said_last(tmp_path: Path, one: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A missing shard ends it with 1, and what there is is merged."""
    assert execute(["merge", str(one), "--output", str(tmp_path / "merged")]) == 1

    assert capfd.readouterr().out.splitlines()[-1] == "WRONG: shard 2/2 is missing"
    assert (tmp_path / "merged" / "junit.xml").is_file()


@pytest.mark.parametrize("outcome", ["failed product", "failed rig", "error", "not run"])
def test_it_ends_as_one_session_would(tmp_path: Path, outcome: str) -> None:
    """A test that failed or did not run is no success, wherever it was."""
    desk = MadeUpRun(tests={"test_0": outcome, "test_1": "passed"}).write(tmp_path / "desk")

    assert execute(["merge", str(desk), "-o", str(tmp_path / "merged")]) == 1


def test_tests_that_ran_again_are_listed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A repetition is never silent."""
    first = MadeUpRun(tests={"test_0": "failed rig"}, run_id="abcd")
    again = MadeUpRun(tests={"test_0": "passed"}, began=first.later(5))
    places = [f"desk={run.write(tmp_path / name)}" for run, name in ((first, "a"), (again, "b"))]

    assert execute(["merge", *places, "-o", str(tmp_path / "merged")]) == 0

    said = capfd.readouterr().out
    assert "ran again: tests.test_it.test_0: passed in desk; earlier, in desk abcd: failed (rig)" in said


def test_terminal_is_told_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Names of tests and files come from other machines, and a terminal obeys some signs in them."""
    first = MadeUpRun(tests={"test_\x9b2J\nWRONG": "failed rig"})
    again = MadeUpRun(tests={"test_\x9b2J\nWRONG": "passed"}, began=first.later(5))
    places = [f"desk={run.write(tmp_path / name)}" for run, name in ((first, "a"), (again, "b"))]
    (tmp_path / "a" / "allure-results").mkdir()
    (tmp_path / "b" / "allure-results").mkdir()
    (tmp_path / "b" / "allure-results" / "\x1b[2J-result.json").write_text("{")

    assert execute(["merge", *places, "-o", str(tmp_path / "merged")]) == 1

    said = capfd.readouterr().out
    assert said.replace("\n", "").isprintable()
    assert [line for line in said.splitlines() if line.startswith("WRONG")] == [
        r"WRONG: desk: Allure: \x1b[2J-result.json is damaged and was left out"
    ]


def test_wrong_use_is_one_line(tmp_path: Path, one: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Bad input is a usage error without a traceback, and nothing is written."""
    (one / "junit.xml").write_text("<testsuites>")

    assert execute(["merge", str(one), "-o", str(tmp_path / "merged")]) == 4

    said = capfd.readouterr().err
    assert said.startswith(f"harness: {one}/junit.xml: is no whole XML document")
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "merged").exists()
