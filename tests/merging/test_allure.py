"""Merging Allure results: nothing is lost, runners stay apart, and attempts stay together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.merging.allure import AllureMerge
from harness.merging.runs import Run
from tests.merging.made_up_runs import documents, result, share, write_allure

if TYPE_CHECKING:
    from pathlib import Path

STEP = {
    "name": "step",
    "steps": [{"name": "inner", "attachments": [{"name": "log", "source": "a-attachment.txt"}]}],
}


def merged(tmp_path: Path, *runs: Run) -> AllureMerge:
    """Merge the Allure results of runs into ``merged``."""
    target = tmp_path / "merged"
    target.mkdir()
    allure = AllureMerge(target)
    for run in runs:
        assert run.allure is not None
        allure.add(run, run.allure)
    allure.finish()
    return allure


def run(tmp_path: Path, name: str, *, shard: bool = False) -> Run:
    """Return a session whose results are in a directory of that name."""
    if shard:
        of = share(1, 2, ["a"], taken=1)
        return Run(directory=tmp_path / name, runner="", report=None, share=of)
    return Run(directory=tmp_path / name, runner=name, report=None)


def attach(directory: Path, name: str, text: str) -> None:
    """Write an attachment."""
    (directory / "allure-results").mkdir(parents=True, exist_ok=True)
    (directory / "allure-results" / name).write_text(text)


def labels(document: dict[str, Any]) -> dict[str, str]:
    """Return the labels of a result."""
    return {label["name"]: label["value"] for label in document["labels"]}


def test_clashing_ids_lose_nothing(tmp_path: Path) -> None:
    """Two results, containers and attachments of one name are two afterwards, each with its own."""
    for name in ("desk", "shelf"):
        directory = tmp_path / name
        write_allure(directory, "1-result.json", result("1", status=name, steps=[STEP]))
        container = {"uuid": "2", "children": ["1"], "befores": [STEP], "afters": [], "name": name}
        write_allure(directory, "2-container.json", container)
        attach(directory, "a-attachment.txt", f"log of {name}")

    allure = merged(tmp_path, run(tmp_path, "desk"), run(tmp_path, "shelf"))

    assert (allure.results, allure.complaints) == (2, [])
    target = tmp_path / "merged"
    results = {document["status"]: document for document in documents(target)}
    containers = {document["name"]: document for document in documents(target, "container")}
    assert set(results) == set(containers) == {"desk", "shelf"}
    for name in ("desk", "shelf"):
        uuid = results[name]["uuid"]
        assert (target / f"{uuid}-result.json").is_file()
        assert containers[name]["children"] == [uuid]
        for document in (results[name]["steps"], containers[name]["befores"]):
            source = document[0]["steps"][0]["attachments"][0]["source"]
            assert (target / source).read_text() == f"log of {name}"
    assert results["desk"]["uuid"] != results["shelf"]["uuid"]
    assert len(list(target.iterdir())) == 6


def test_same_test_on_two_runners_is_two_tests(tmp_path: Path) -> None:
    """Runners differ by a parameter, and so do their histories; on one runner the history goes on."""
    for name in ("desk", "shelf"):
        write_allure(tmp_path / name, f"{name}-result.json", result(name, labels=[], parameters=[]))

    merged(tmp_path, run(tmp_path, "desk"), run(tmp_path, "shelf"))

    desk, shelf = documents(tmp_path / "merged")
    assert desk["parameters"] == [{"name": "runner", "value": "desk"}]
    assert labels(shelf) == {"runner": "shelf"}
    assert desk["historyId"] != shelf["historyId"]
    assert desk["testCaseId"] == shelf["testCaseId"]
    (tmp_path / "again").mkdir()
    merged(tmp_path / "again", run(tmp_path, "desk"))
    assert documents(tmp_path / "again" / "merged") == [desk]


def test_shards_leave_the_history_alone(tmp_path: Path) -> None:
    """Which shard a test is in may change from day to day, and its history is one."""
    write_allure(tmp_path / "one", "1-result.json", result("1"))

    merged(tmp_path, run(tmp_path, "one", shard=True))

    (document,) = documents(tmp_path / "merged")
    assert document == result("1", labels=[{"name": "shard", "value": "1/2"}])


def test_failure_that_stands_is_not_covered_up(tmp_path: Path) -> None:
    """Allure shows what a test came to last: what came after an outcome that stands is no attempt at it."""
    case = [{"name": "case", "value": "x"}, 7]
    for number, (name, parameters) in enumerate(
        [("test_a", []), ("test_b", case), ("test_c", []), ("test_d", [])]
    ):
        document = result(f"{number}", f"tests.test_it#{name}", parameters=parameters)
        write_allure(tmp_path / "again", f"{number}-result.json", document)
    target = tmp_path / "merged"
    target.mkdir()
    allure = AllureMerge(target)
    again = run(tmp_path, "again", shard=True)

    allure.add(
        again,
        tmp_path / "again" / "allure-results",
        later={
            "tests.test_it.test_b[x]": "passed",
            "tests.test_it.test_c": "not run",
            "tests.test_it.test_d": "skipped",
        },
    )

    first, second = documents(target)
    assert (first["parameters"], second["parameters"]) == (
        [],
        [*case, {"name": "ran again", "value": "again 1/2"}],
    )
    assert second["historyId"] != "history of tests.test_it#test_b"
    assert allure.results == 2


def test_shards_of_different_benches_are_told_apart(tmp_path: Path) -> None:
    """A test of each kind of board that two shards had, each on its own bench, is two tests."""
    write_allure(tmp_path / "one", "1-result.json", result("1", "t#test_each"))
    write_allure(tmp_path / "one", "2-result.json", result("2", "t#test_other"))
    (tmp_path / "merged").mkdir()

    AllureMerge(tmp_path / "merged").add(
        run(tmp_path, "one", shard=True), tmp_path / "one" / "allure-results", own={"t.test_each"}
    )

    each, other = documents(tmp_path / "merged")
    assert each["parameters"] == [{"name": "shard", "value": "1/2"}]
    assert each["historyId"] != "history of t#test_each"
    assert "parameters" not in other


def test_results_that_lay_there_before_count_once(tmp_path: Path) -> None:
    """A repetition in the same directory has the results of the first attempt, too."""
    for name in ("first", "second", "third"):
        write_allure(tmp_path / name, "1-result.json", result("1"))
        attach(tmp_path / name, "a-attachment.txt", "same")
    write_allure(tmp_path / "second", "2-result.json", result("2"))
    write_allure(tmp_path / "third", "1-result.json", result("1", status="failed"))
    runs = [run(tmp_path, name, shard=True) for name in ("first", "second", "third")]

    allure = merged(tmp_path, *runs)

    assert allure.results == 3
    assert sorted(document["status"] for document in documents(tmp_path / "merged")) == [
        "failed",
        "passed",
        "passed",
    ]
    assert len(list((tmp_path / "merged").glob("*attachment*"))) == 1


def test_environments_stay_apart(tmp_path: Path) -> None:
    """What is so everywhere is said once, the rest for each runner; the bench is never left out."""
    for name, boards in (("desk", 2), ("shelf", 3)):
        attach(
            tmp_path / name,
            "environment.properties",
            f"bench = VIRTUAL ({boards} boards)\npytest = 9.2.0\nnonsense\nshard = {boards}/3: x = y\n",
        )
        attach(
            tmp_path / name, "executor.json", json.dumps({"name": "CI", "buildName": f"#{boards}", "x": 1})
        )
    attach(tmp_path / "desk", "categories.json", "[]")
    attach(tmp_path / "shelf", "categories.json", "[1]")

    merged(tmp_path, run(tmp_path, "desk"), run(tmp_path, "shelf"))

    assert (tmp_path / "merged" / "environment.properties").read_text().splitlines() == [
        "bench = VIRTUAL (2 boards) + VIRTUAL (3 boards)",
        "desk.bench = VIRTUAL (2 boards)",
        "shelf.bench = VIRTUAL (3 boards)",
        "pytest = 9.2.0",
        "desk.shard = 2/3: x = y",
        "shelf.shard = 3/3: x = y",
        "desk.executor = CI #2",
        "shelf.executor = CI #3",
    ]
    assert not (tmp_path / "merged" / "executor.json").exists()
    assert len(list((tmp_path / "merged").glob("*categories.json"))) == 2


def test_environment_of_a_repetition_stays_beside_the_first(tmp_path: Path) -> None:
    """Two sessions of one name had each its own boards, and both are said."""
    for place in ("first", "again"):
        attach(tmp_path / place, "environment.properties", f"boards = {place}")
    runs = [Run(directory=tmp_path / place, runner="desk", report=None) for place in ("first", "again")]

    merged(tmp_path, *runs)

    lines = (tmp_path / "merged" / "environment.properties").read_text().splitlines()
    assert lines == ["desk.boards = first", "desk-1.boards = again"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"uuid": 1}', '{"uuid": ""}', "[" * 100_000, "\udc80"])
@pytest.mark.parametrize("name", ["x-result.json", "x-container.json"])
def test_damaged_documents_are_told(tmp_path: Path, name: str, text: str) -> None:
    """A file that a killed process left half-written is named, and the others are kept."""
    write_allure(tmp_path / "desk", "1-result.json", result("1"))
    file = tmp_path / "desk" / "allure-results" / name
    file.write_bytes(text.encode(errors="surrogateescape"))

    allure = merged(tmp_path, run(tmp_path, "desk"))

    assert allure.complaints == [f"desk: Allure: {name} is damaged and was left out"]
    assert [document["uuid"] for document in documents(tmp_path / "merged")] == ["1"]


def test_results_keep_to_their_directory(tmp_path: Path) -> None:
    """Links, and names that lead elsewhere, are not followed: neither to read nor to write."""
    outside = tmp_path / "outside"
    outside.write_text("secret")
    hostile = result("../../outside", attachments=[{"source": "../../outside"}, {"source": None}, 7])
    write_allure(tmp_path / "desk", "1-result.json", hostile)
    place = tmp_path / "desk" / "allure-results"
    (place / "link-attachment.txt").symlink_to(outside)
    (place / "directory").mkdir()

    allure = merged(tmp_path, run(tmp_path, "desk"))

    assert sorted(allure.complaints) == [
        "desk: Allure: 1-result.json has an attachment '../../outside' that is not there",
        "desk: Allure: 1-result.json has an attachment 'None' that is not there",
        "desk: Allure: directory is no plain file and was left out",
        "desk: Allure: link-attachment.txt is no plain file and was left out",
    ]
    assert outside.read_text() == "secret"
    assert sorted(tmp_path.iterdir()) == [tmp_path / name for name in ("desk", "merged", "outside")]
    written = [file.name for file in (tmp_path / "merged").iterdir()]
    assert len(written) == 1
    assert written[0].endswith("-result.json")


def test_odd_results_are_taken_as_they_are(tmp_path: Path) -> None:
    """What other tools write needs neither labels nor a history, and may have an executor that is none."""
    write_allure(tmp_path / "desk", "1-result.json", {"uuid": "1", "labels": None})
    write_allure(tmp_path / "desk", "2-container.json", {"uuid": "2", "children": None})
    attach(tmp_path / "desk", "executor.json", "[")

    allure = merged(tmp_path, run(tmp_path, "desk"))

    assert allure.complaints == []
    runner = {"name": "runner", "value": "desk"}
    assert documents(tmp_path / "merged") == [{"uuid": "1", "labels": [runner], "parameters": [runner]}]
    assert documents(tmp_path / "merged", "container") == [{"uuid": "2", "children": None}]
