"""The accounts of a session that ends in the middle of everything: each test is in one, in every report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from tests.pytest_plugin.conftest import Suite

MEASURED = True

SUITE = """
    import pathlib, pytest
    from harness.errors import RigFault

    HERE = pathlib.Path(__file__).parent

    def breaks_once(name):
        if not (HERE / name).exists():
            (HERE / name).touch()
            raise RigFault("no power")

    def test_breaks_once(board):
        breaks_once("first")

    @pytest.fixture
    def skips_afterwards():
        yield
        pytest.skip("enough")

    def test_skips_afterwards(board, skips_afterwards):
        pass

    def test_ends_all(board):
        breaks_once("second")
        pytest.exit("enough")

    @pytest.mark.parametrize("number", [1])
    def test_never_begun(board, number):
        pass
"""


def test_the_end_in_the_middle(suite: Suite) -> None:
    """A second try that is cut off leaves the failure of the first; what was not begun says why."""
    suite.write("test_it.py", SUITE)
    reports = ("--alluredir=allure", "--junitxml=junit.xml", "--summary=summary.html")

    result = suite.run("--bench", "virtual", "--boards", "toy-a=2", "--rig-retries=1", *reports)

    assert result.code == 1, result
    accounts = "4 collected = 1 passed + 1 failed + 1 skipped + 1 not run, 2 retried"
    assert result.lines_with(accounts), result
    assert result.lines_with("retried: test_it.py::test_breaks_once: board toy-a-0: ")
    assert result.lines_with("enough:"), "why a test did not run"
    data = json.loads((suite.directory / "summary.json").read_text())
    assert [test["outcome"] for test in data["tests"]] == ["passed", "skipped", "failed"]
    assert data["tests"][2]["verdict"] == "rig"
    assert data["not_run"] == [{"nodeid": "test_it.py::test_never_begun[1]", "reason": "enough"}]
    check_junit(suite, accounts)
    check_allure(suite)


def check_junit(suite: Suite, accounts: str) -> None:
    """One case a test, of the outcome that counts, with the tries before it."""
    root = ET.parse(suite.directory / "junit.xml").getroot()  # noqa: S314 - written by pytest
    told = {each.get("name"): each.get("value") for each in root.iterfind("testsuite/properties/property")}
    assert told["accounts"] == accounts
    assert told["run_id"]
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert {
        name: [node.tag for node in case if node.tag != "properties"] for name, case in cases.items()
    } == {
        "test_breaks_once": [],
        "test_skips_afterwards": ["skipped"],
        "test_ends_all": ["failure"],
        "test_never_begun[1]": ["skipped"],
    }
    retried = {
        name: [each.get("value") for each in case.iter("property") if each.get("name") == "retried"]
        for name, case in cases.items()
    }
    assert [value and value.partition(":")[0] for value in retried["test_breaks_once"]] == ["board toy-a-0"]
    assert len(retried["test_ends_all"]) == 1


def check_allure(suite: Suite) -> None:
    """One result a try, none of them of the one that was cut off, and one of what was not begun."""
    results = [json.loads(file.read_text()) for file in (suite.directory / "allure").glob("*-result.json")]
    assert sorted((each["name"], each["status"]) for each in results) == [
        ("test_breaks_once", "broken"),
        ("test_breaks_once", "passed"),
        ("test_ends_all", "broken"),
        ("test_never_begun[1]", "unknown"),
        ("test_skips_afterwards", "skipped"),
    ]
    assert len({each["historyId"] for each in results}) == 4
    (never,) = (each for each in results if each["status"] == "unknown")
    assert never["statusDetails"]["message"] == "not run: enough"
