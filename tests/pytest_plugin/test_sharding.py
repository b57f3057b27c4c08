"""``--shard K/N``: which tests a runner leaves out, and where that is said."""

from __future__ import annotations

import json
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from xml.etree import ElementTree as ET

import pytest

from harness.pytest_plugin.markers import EachBoard
from harness.pytest_plugin.placement import PLACEMENT_KEY, Placement
from harness.pytest_plugin.sharding import SHARE_KEY, Sharding, ShardReport, share_file
from harness.sharding import Share, digest_of, part_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pytest_plugin.conftest import Suite


class Item:
    """A collected test."""

    def __init__(self, nodeid: str, *, group: str | None = None, each: EachBoard | None = None) -> None:
        self.nodeid = nodeid
        self.stash = pytest.Stash()
        self.stash[PLACEMENT_KEY] = Placement(group=group)
        if each is not None:
            self.callspec = SimpleNamespace(params={"board": each})


def session_of(directory: Path) -> Any:
    """Return a session as one process sees it."""
    return SimpleNamespace(directory=directory, worker_id="gw0")


def shared_out(directory: Path, items: list[Item], part: int, parts: int) -> tuple[list[Item], list[Item]]:
    """Let one runner take its part; return what it has, and what it left out."""
    left_out: list[Item] = []

    def deselected(items: list[Item]) -> None:
        left_out.extend(items)

    hook = SimpleNamespace(pytest_deselected=deselected)
    kept: list[Any] = list(items)
    sharding = Sharding(session_of(directory), part, parts)
    sharding.pytest_collection_modifyitems(cast("Any", SimpleNamespace(hook=hook)), kept)
    return kept, left_out


def share_of(directory: Path) -> Share:
    """Read what a runner's share is."""
    share = Share.parse(share_file(directory).read_text())
    assert share is not None
    return share


def test_every_test_is_run_by_one_runner(tmp_path: Path) -> None:
    """Nothing is lost between the runners and nothing is run twice; the order stays."""
    items = [Item(f"t.py::test_{number}") for number in range(40)]

    parts = [shared_out(tmp_path, items, part, 3) for part in (1, 2, 3)]

    assert Counter(item.nodeid for kept, _ in parts for item in kept) == Counter(
        item.nodeid for item in items
    )
    for kept, left_out in parts:
        assert kept == [item for item in items if item in kept]
        assert {*kept, *left_out} == set(items)
        assert kept


def test_groups_stay_whole(tmp_path: Path) -> None:
    """Tests that are kept together are run by one runner, wherever their names would lead."""
    items = [Item(f"t.py::test_{number}", group=f"group {number % 5}") for number in range(40)]

    parts = [shared_out(tmp_path, items, part, 2)[0] for part in (1, 2)]

    groups = [{item.stash[PLACEMENT_KEY].group for item in kept} for kept in parts]
    assert groups[0].isdisjoint(groups[1])
    assert sum(map(len, parts)) == 40


def test_tests_of_each_board_are_run_by_every_runner(tmp_path: Path) -> None:
    """What is about each board of a bench no other runner can run; the share says how many these are."""
    items = [Item(f"t.py::test_{number}") for number in range(10)]
    each = [
        Item("t.py::test_each[b]", each=EachBoard(board_id="b")),
        Item("t.py::test_kind[k]", each=EachBoard(kind="k")),
    ]

    for part in (1, 2):
        kept, _ = shared_out(tmp_path, [*items, *each], part, 2)
        assert kept[-2:] == each
        assert share_of(tmp_path) == Share(
            part=part,
            parts=2,
            taken=len(kept) - 2,
            tests=10,
            own=2,
            digest=digest_of(item.nodeid for item in items),
        )


@pytest.mark.parametrize(
    ("share", "before", "after"),
    [
        (Share(part=1, parts=2, taken=0, tests=1, digest=digest_of("a")), 5, 0),
        (Share(part=1, parts=2, taken=0, tests=0, digest=digest_of("")), 5, 5),
        (Share(part=1, parts=2, taken=0, tests=1, digest=digest_of("a")), 1, 1),
        (Share(part=1, parts=2, taken=1, tests=1, digest=digest_of("a")), 5, 5),
        (None, 5, 5),
    ],
)
def test_part_without_tests_has_not_failed(
    tmp_path: Path, share: Share | None, before: int, after: int
) -> None:
    """A runner with nothing to do is well; a collection without tests is not, nor any other failure."""
    if share is not None:
        share_file(tmp_path).write_text(str(share))
    config = SimpleNamespace(stash=pytest.Stash())
    report = ShardReport(cast("Any", config), session_of(tmp_path), 1, 2)
    session = SimpleNamespace(exitstatus=before)
    said: list[str] = []

    report.pytest_sessionfinish(cast("Any", session))
    report.pytest_terminal_summary(cast("Any", SimpleNamespace(write_line=said.append)))

    assert session.exitstatus == after
    assert config.stash.get(SHARE_KEY, None) == (None if share is None else str(share))
    assert said == ([] if share is None else [f"harness: shard {share}"])


def test_share_is_in_every_report(suite: Suite) -> None:
    """Workers share out alike, and header, terminal, JUnit, Allure and summary say what this is a part of."""
    tests = [f"test_it.py::test_{name}" for name in "abcdef"]
    suite.write(
        "test_it.py",
        "import pytest\n"
        + "".join(f"def test_{name}(board): pass\n" for name in "abcdef")
        + "@pytest.mark.board(each='kind')\ndef test_each(board): pass\n",
    )
    own = ["test_it.py::test_each[toy-a]", "test_it.py::test_each[toy-b]"]
    first = [test for test in tests if part_of(test, 2) == 1]
    virtual = ("--bench", "virtual", "--boards", "toy-a=1,toy-b=1")

    reports = ("--alluredir=allure", "--junitxml=junit.xml", "--summary=summary.html")
    ran = suite.run(*virtual, "-n", "auto", "--shard", "1/2", *reports)
    planned = suite.run(*virtual, "--plan", "--shard", "2/2")

    share = Share(part=1, parts=2, taken=len(first), tests=6, own=2, digest=digest_of(tests))
    assert ran.code == 0, ran
    assert {*ran.outcomes} == {test.partition("::")[2] for test in (*first, *own)}
    assert "harness: shard 1/2: the other tests are for other runners" in ran.out
    assert f"harness: shard {share}" in ran.out
    junit = ET.parse(suite.directory / "junit.xml").getroot()  # noqa: S314 - our own
    properties = {each.get("name"): each.get("value") for each in junit.findall("testsuite/properties/*")}
    assert properties["shard"] == str(share)
    assert f"shard = {share}" in (suite.directory / "allure" / "environment.properties").read_text()
    assert json.loads((suite.directory / "summary.json").read_text())["shard"] == str(share)
    assert str(share) in (suite.directory / "summary.html").read_text()
    shown = {line.split()[0] for line in planned.out.splitlines() if line.startswith("test_it.py::")}
    assert shown == {*tests, *own} - {*first}
