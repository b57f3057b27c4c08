"""Merging whole directories: shards, runners and repetitions, and that nothing goes missing unnoticed."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from harness.history.attempts import Attempt
from harness.history.store import History
from harness.merging.accounts import Accounts
from harness.merging.junit import read_report
from harness.merging.merge import merge
from harness.merging.runs import parse_source
from tests.merging.made_up_runs import NOON, TESTS, MadeUpRun, documents, merged, result, share, write_allure

if TYPE_CHECKING:
    from pathlib import Path


def suites(tmp_path: Path) -> list[ET.Element]:
    """Return the suites of the merged report."""
    root = ET.parse(tmp_path / "merged" / "junit.xml").getroot()  # noqa: S314 - our own
    return list(root)


def properties(element: ET.Element) -> list[tuple[str, str]]:
    """Return the properties of a suite or of a test case."""
    return [(each.get("name", ""), each.get("value", "")) for each in element.findall("properties/property")]


def test_shards_are_one_run(tmp_path: Path, shards: tuple[Path, Path]) -> None:
    """Accounts are the sum; the report has a suite for each session and the numbers of its parts."""
    made = merged(tmp_path, *shards)

    assert made.complaints == ()
    assert made.is_good
    assert made.accounts == Accounts(passed=4, skipped=1)
    assert [(line.name, line.run_id, line.accounts.collected) for line in made.lines] == [
        ("one 1/2", "aaaa", 2),
        ("two 2/2", "bbbb", 3),
    ]
    root = ET.parse(tmp_path / "merged" / "junit.xml").getroot()  # noqa: S314 - our own
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "5",
        "failures": "0",
        "errors": "0",
        "skipped": "1",
        "time": "20.000",
    }
    assert [suite.get("name") for suite in root] == ["one 1/2", "two 2/2"]
    assert ("accounts", "2 collected = 1 passed + 0 failed + 1 skipped + 0 not run") in properties(root[0])
    assert read_report(tmp_path / "merged" / "junit.xml").accounts == made.accounts
    accounts = json.loads((tmp_path / "merged" / "accounts.json").read_text())["accounts"]
    assert accounts == {"collected": 5, "passed": 4, "failed": 0, "skipped": 1, "not_run": 0}


def test_missing_shard_is_noticed(tmp_path: Path, shards: tuple[Path, Path]) -> None:
    """What is there is merged, and the whole is not good."""
    made = merged(tmp_path, shards[1])

    assert made.complaints == ("shard 1/2 is missing",)
    assert not made.is_good
    assert made.accounts == Accounts(passed=3)


def test_shard_that_ran_twice_at_once_is_noticed(tmp_path: Path, shards: tuple[Path, Path]) -> None:
    """Two runners with the same shard are a mistake in the pipeline, unless one came after the other."""
    double = MadeUpRun(
        tests={"test_0": "passed", "test_1": "passed"},
        run_id="cccc",
        share=share(1, 2, TESTS, taken=2),
        began=NOON + timedelta(seconds=9),
    ).write(tmp_path / "three")

    made = merged(tmp_path, *shards, double)

    assert made.complaints == (
        f"shard 1/2 ran twice at once, in {shards[0]} and in {double}: one is not a repetition of the other",
    )


def test_other_collection_is_noticed(tmp_path: Path, shards: tuple[Path, Path]) -> None:
    """Shards of one number and of different tests are no whole, even if their numbers fit."""
    other = [*TESTS[:4], "test_x"]
    second = MadeUpRun(
        tests={"test_2": "passed", "test_3": "passed", "test_x": "passed"},
        share=share(2, 2, other, taken=3),
    ).write(tmp_path / "three")

    made = merged(tmp_path, shards[0], second)

    assert len(made.complaints) == 1
    assert made.complaints[0].startswith(f"shards of different collections: {shards[0]} of 5 tests (")


def test_shards_of_different_numbers_are_noticed(tmp_path: Path, shards: tuple[Path, Path]) -> None:
    """A third of the tests and a half are no whole."""
    third = MadeUpRun(tests={"test_2": "passed"}, share=share(2, 3, TESTS, taken=1)).write(tmp_path / "three")

    made = merged(tmp_path, shards[0], third)

    assert made.complaints == (f"shards of different numbers: 1/2 in {shards[0]}, 2/3 in {third}",)


def test_shard_among_whole_runs_is_noticed(tmp_path: Path, shards: tuple[Path, Path]) -> None:
    """Under one name there are shards, or whole runs, and not both."""
    whole = MadeUpRun(tests=dict.fromkeys(TESTS, "passed"), began=NOON + timedelta(hours=1))

    made = merged(
        tmp_path, f"desk={shards[0]}", f"desk={shards[1]}", f"desk={whole.write(tmp_path / 'whole')}"
    )

    assert made.complaints == (f"desk: some are shards, and {tmp_path / 'whole'} is of all tests",)


def test_tests_lost_from_a_share_are_noticed(tmp_path: Path, shards: tuple[Path, Path]) -> None:
    """A share is as large as its session said when it was collected, and all shares are the collection."""
    second = MadeUpRun(tests={"test_2": "passed", "test_3": "passed"}, share=share(2, 2, TESTS, taken=3))
    less = MadeUpRun(tests={"test_2": "passed", "test_3": "passed"}, share=share(2, 2, TESTS, taken=2))

    lost = merged(tmp_path, shards[0], second.write(tmp_path / "lost"))
    short = merge(
        [parse_source(str(shards[0])), parse_source(str(less.write(tmp_path / "less")))], tmp_path / "m"
    )

    assert lost.complaints == (f"shard 2/2 has 3 tests, the reports of {tmp_path / 'lost'} have 2",)
    assert short.complaints == ("the shards have 4 of the 5 tests that are shared out",)


def test_tests_of_each_bench_are_not_shared_out(tmp_path: Path) -> None:
    """A test of each board is run by every runner, on its own boards, and is no double."""
    both = [
        MadeUpRun(
            tests={name: "passed", f"test_each[board-{number}]": "passed", "test_each[kind]": came_to},
            share=share(number, 2, TESTS[:2], taken=1, own=2),
        ).write(tmp_path / str(number))
        for number, name, came_to in ((1, "test_0", "passed"), (2, "test_1", "failed rig"))
    ]
    for number, directory in enumerate(both, 1):
        write_allure(directory, f"{number}-result.json", result(str(number), "tests.test_it#test_each[kind]"))

    made = merged(tmp_path, *both)

    assert made.complaints == ()
    assert made.again == ()
    assert made.accounts == Accounts(passed=5, failed=1)
    assert [each["parameters"] for each in documents(tmp_path / "merged" / "allure-results")] == [
        [{"name": "shard", "value": "1/2"}],
        [{"name": "shard", "value": "2/2"}],
    ]


def test_test_of_two_shards_is_noticed(tmp_path: Path) -> None:
    """Only tests of each bench may be in two shards; any other was shared out wrongly."""
    both = [
        MadeUpRun(tests={"test_0": "passed"}, share=share(number, 2, TESTS[:2], taken=1)).write(
            tmp_path / place
        )
        for number, place in ((1, "one"), (2, "two"))
    ]

    assert merged(tmp_path, *both).complaints == ("shards 1/2 and 2/2 have 1 tests in common",)


def test_same_test_on_two_runners_is_two_results(tmp_path: Path) -> None:
    """Runners that share nothing out are added up; each suite says whose it is."""
    desk = MadeUpRun(tests={"test_0": "passed", "test_1": "failed product"}).write(tmp_path / "desk")
    shelf = MadeUpRun(tests={"test_0": "passed", "test_1": "not run"}).write(tmp_path / "rack" / "results")

    made = merged(tmp_path, desk, f"shelf={shelf}")

    assert made.complaints == ()
    assert made.accounts == Accounts(passed=2, failed=1, not_run=1)
    assert not made.is_good
    assert [(suite.get("name"), suite.get("tests")) for suite in suites(tmp_path)] == [
        ("desk", "2"),
        ("shelf", "2"),
    ]
    assert ("runner", "shelf") in properties(suites(tmp_path)[1])


def test_repetition_of_a_shard(tmp_path: Path, shards: tuple[Path, Path]) -> None:
    """A shard that ran again makes good what the rig did, visibly, and each test counts once."""
    first = MadeUpRun(
        tests={"test_0": "failed rig", "test_1": "failed product"},
        run_id="aaaa",
        share=share(1, 2, TESTS, taken=2),
    )
    again = MadeUpRun(
        tests={"test_0": "passed", "test_1": "passed"},
        run_id="cccc",
        share=share(1, 2, TESTS, taken=2),
        began=first.later(60),
    )

    # The order of the directories is not that of the sessions.
    made = merged(tmp_path, again.write(tmp_path / "again"), shards[1], first.write(tmp_path / "first"))

    earlier = "earlier, in first 1/2 aaaa: failed (rig): test_0 failed rig"
    assert made.complaints == ()
    assert made.accounts == Accounts(passed=4, failed=1)
    assert made.again == (
        "tests.test_it.test_0: passed in again 1/2; " + earlier,
        "tests.test_it.test_1: failed in first 1/2; later, in again 1/2 cccc: passed",
    )
    cases = {
        (suite.get("name"), case.get("name")): properties(case)
        for suite in suites(tmp_path)
        for case in suite.findall("testcase")
    }
    assert cases == {
        ("first 1/2", "test_1"): [("verdict", "product"), ("retried", "later, in again 1/2 cccc: passed")],
        ("again 1/2", "test_0"): [("retried", earlier)],
        **{("two 2/2", name): [] for name in TESTS[2:]},
    }
    numbers = {suite.get("name"): (suite.get("tests"), suite.get("failures")) for suite in suites(tmp_path)}
    assert numbers == {"first 1/2": ("1", "1"), "again 1/2": ("1", "0"), "two 2/2": ("3", "0")}


def test_repetition_of_the_failed_tests_only(tmp_path: Path) -> None:
    """A whole run of a named runner may be followed by one of some of its tests."""
    first = MadeUpRun(tests={"test_0": "passed", "test_1": "failed rig"})
    again = MadeUpRun(tests={"test_1": "passed"}, began=first.later(1))

    made = merged(tmp_path, f"desk={first.write(tmp_path / '1')}", f"desk={again.write(tmp_path / '2')}")

    assert made.is_good
    assert made.accounts == Accounts(passed=2)
    assert [line.again for line in made.lines] == [1, 0]


def test_runs_of_one_name_at_once_are_noticed(tmp_path: Path) -> None:
    """What is no repetition is not merged away silently."""
    first, second = (MadeUpRun(tests={"test_0": "passed"}).write(tmp_path / name) for name in "ab")

    made = merged(tmp_path, f"desk={first}", f"desk={second}")

    assert len(made.complaints) == 1
    assert made.complaints[0].startswith("desk: ran twice at once, in ")


def test_accounts_of_a_session_have_to_fit_its_report(tmp_path: Path) -> None:
    """A report that lost a test on its way is told from one that is whole."""
    line = "3 collected = 3 passed + 0 failed + 0 skipped + 0 not run"
    run = MadeUpRun(tests={"test_0": "passed", "test_1": "passed"}, properties={"accounts": line})

    made = merged(tmp_path, run.write(tmp_path / "desk"))

    assert len(made.complaints) == 1
    assert made.complaints[0].startswith(
        f"desk: its session says '{line}', its report has 2 collected = 2 passed"
    )


def test_what_could_not_be_collected_is_told(tmp_path: Path) -> None:
    """A module that is no test is in no account, and the whole is not good."""
    directory = MadeUpRun(tests={"test_0": "passed"}).write(tmp_path / "desk")
    file = directory / "junit.xml"
    broken = (
        '<testcase name="tests.test_broken"><error message="collection failure"/></testcase>'
        '<testcase classname="pytest" name="internal"><error message="internal error"/></testcase>'
    )
    file.write_text(file.read_text().replace("</testsuite>", f"{broken}</testsuite>"))

    made = merged(tmp_path, directory)

    assert made.complaints == (
        "desk: could not be collected, or failed in itself: tests.test_broken",
        "desk: could not be collected, or failed in itself: pytest.internal",
    )
    assert made.accounts == Accounts(passed=1)


def test_session_without_a_report_is_told(tmp_path: Path, shards: tuple[Path, Path]) -> None:
    """What a session that was killed left is kept, and the whole is not good."""
    killed = tmp_path / "killed"
    write_allure(killed, "1-result.json", result("1"))

    made = merged(tmp_path, *shards, killed)

    assert f"killed: no junit.xml in {killed}: nobody knows what it collected" in made.complaints
    assert f"one 1/2: no Allure results in {shards[0]}, as the others have" in made.complaints
    assert not made.is_good
    assert len(documents(tmp_path / "merged" / "allure-results")) == 1


def test_histories_are_one(tmp_path: Path, shards: tuple[Path, Path]) -> None:
    """Durations of all runners are known afterwards; what two of them had from before is there once."""
    for number, directory in enumerate(shards):
        with closing(History(directory / "history.sqlite3")) as history:
            for session, test in (("before", "test_0"), (f"session {number}", f"test_{number + 1}")):
                history.begin(session, 1_000.0).record(
                    Attempt(
                        session=session,
                        project="p",
                        test=test,
                        kind="toy",
                        outcome="passed",
                        seconds=number + 1.0 if session != "before" else 7.0,
                        started=1_000.0,
                    )
                )

    made = merged(tmp_path, *shards)

    assert made.attempts == 3
    with closing(History(tmp_path / "merged" / "history.sqlite3", read_only=True)) as history:
        assert history.expected_seconds("p") == {
            "test_0": {"toy": 7.0},
            "test_1": {"toy": 1.0},
            "test_2": {"toy": 2.0},
        }
        assert Counter(attempt.session for attempt in history.attempts()) == Counter(
            ["before", "session 0", "session 1"]
        )
