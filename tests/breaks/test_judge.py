"""The judge of the breaks: it must not take a suite for attentive that is not.

The recorded files are JUnit files of real sessions, cut short.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.breaks.support.catalogue import SUITE
from tests.breaks.support.judge import complaints, node_id, read_junit

RECORDED = Path(__file__).parent / "recorded"
KEEPS = f"{SUITE}/test_blocking.py::test_blocked_board_keeps_its_commands_pending"
ADDED = f"{SUITE}/test_blocking.py::test_command_for_a_blocked_device"
BLOCK = f"{SUITE}/test_blocking.py::test_block"
TWENTY = f"{SUITE}/test_commands.py::test_twenty_commands_and_no_more"
UNCLAIM = f"{SUITE}/test_unclaiming.py::test_unclaim"
TURNED_AWAY = f"{SUITE}/test_unclaiming.py::test_unclaimed_board_is_turned_away"


def judge(recording: str, expected: list[str], about: str) -> list[str]:
    """Judge a recorded session."""
    return complaints(read_junit(RECORDED / f"{recording}.xml"), expected, about)


def test_noticed() -> None:
    """Failed assertions about the break are what is wanted."""
    assert judge("noticed", [KEEPS, ADDED], "refused_with == 403") == []


def test_missing_exception_is_an_assertion() -> None:
    """A call that should have been refused and was not is noticed by ``pytest.raises``."""
    assert judge("raised", [TWENTY], "refused") == []


def test_break_that_nothing_notices() -> None:
    """A break whose tests pass is not noticed: this is the test of the suite's tests."""
    found = judge("unbroken", [KEEPS, ADDED], "refused_with == 403")

    assert found == [f"{KEEPS} did not notice: passed", f"{ADDED} did not notice: passed"]


def test_one_of_two_notices() -> None:
    """Every expected test has to notice, not any of them."""
    (found,) = judge("noticed", [KEEPS, BLOCK], "refused_with == 403")

    assert found == f"{BLOCK} did not run"


def test_crash_is_not_enough() -> None:
    """A test that fails by an exception of the client says nothing about what it asserts."""
    (found,) = judge("crashed", [BLOCK], "BLOCKED")

    assert found.startswith(f"{BLOCK} failed, but not by assertion: harness.errors.RequestRefused:")


def test_error_in_a_fixture_is_not_enough() -> None:
    """A test that never began has noticed nothing."""
    (found,) = judge("error", [UNCLAIM, TURNED_AWAY], "is_claimed_by")

    assert found.startswith(f"{TURNED_AWAY} did not notice: error failed on setup")


def test_skip_is_not_enough() -> None:
    """A skipped test has noticed nothing."""
    (found,) = judge("skipped", [BLOCK], "BLOCKED")

    assert found.startswith(f"{BLOCK} did not notice: skipped no board fits")


@pytest.mark.parametrize("about", ["PROVISIONED", "status_of", "add_command"])
def test_other_assertion_is_not_enough(about: str) -> None:
    """What counts is the failing line and its explanation, not the lines of the test around them."""
    found = judge("noticed", [KEEPS], about)

    assert len(found) == 1
    assert "failed by another assertion than one about" in found[0]


def test_failure_and_failing_tear_down(tmp_path: Path) -> None:
    """A test that noticed, and could not be cleaned up after because of the break, has noticed."""
    junit = tmp_path / "junit.xml"
    junit.write_text(
        '<testsuites><testsuite><testcase classname="suites.nrfcloud.test_blocking" name="test_block">'
        '<failure message="assert 1 == 2">&gt;   assert status == BLOCKED\nE   assert 1 == 2</failure>'
        '</testcase><testcase classname="suites.nrfcloud.test_blocking" name="test_block">'
        '<error message="failed on teardown">boom</error></testcase></testsuite></testsuites>'
    )

    assert complaints(read_junit(junit), [BLOCK], "BLOCKED") == []


@pytest.mark.parametrize(
    ("classname", "file"),
    [
        ("suites.nrfcloud.test_blocking", "suites/nrfcloud/test_blocking.py"),
        ("tests.inventory.test_attached.TestFound", "tests/inventory/test_attached.py::TestFound"),
        ("tests.test_rig.TestA.TestB", "tests/test_rig.py::TestA::TestB"),
        ("odd", "odd.py"),
    ],
)
def test_node_ids(classname: str, file: str) -> None:
    """Tests are told apart by file and class: two files may have a test of one name."""
    assert node_id(classname, "test_it[x.y]") == f"{file}::test_it[x.y]"
