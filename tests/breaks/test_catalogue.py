"""What breaks say of themselves, and what is refused."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.breaks.support.catalogue import Break, Sort, all_breaks, read_break

if TYPE_CHECKING:
    from pathlib import Path

TESTS = ["test_a.py::test_one", "test_a.py::test_two[x y]", "test_a.py::test_two[z]", "test_b.py::test_one"]


def make(*expected: str) -> Break:
    """Make a break that expects these tests to fail."""
    return Break(plugin="tests.breaks.wrong", title="something is wrong", expected=expected, about="x")


def test_breaks_are_read_without_importing_them() -> None:
    """Importing a break would break the process that judges it."""
    names = {each.plugin for each in all_breaks()}

    assert "tests.breaks.block_ignored" in names
    assert names & set(sys.modules) == set()


def test_first_list_is_there() -> None:
    """The breaks that the project promised from the beginning exist."""
    promised = {
        "block_ignored",
        "blocked_board_answered_204",
        "forged_token_accepted",
        "jwt_signature_unchecked",
        "twenty_first_command_accepted",
        "commands_out_of_order",
        "reported_but_not_executed",
        "executed_behind_the_failing_one",
        "pending_lost_at_block",
        "unclaim_keeps_the_claim",
        "another_team_may_claim",
        "key_slot_overwritten",
        "write_allowed_while_active",
        # of the harness itself
        "reconnect_by_path",
        "interface_two_taken_for_zero",
        "location_beats_identity",
        "rig_file_overwritten",
        "late_board_ignored",
        "lost_boards_tests_dropped",
        # of Pelion
        "unknown_client_certificate_accepted",
        "registered_without_bootstrap",
        "wrong_vendor_id",
        "wrong_class_id",
        "folder_left_after_a_failure",
        "exit_code_swallowed",
        "hundred_and_first_device_accepted",
        "configured_without_certificate",
        "configured_with_expired_update_certificate",
        "stores_file_overwritten",
        "user_store_for_everybody",
        "pelion_key_file_for_a_group",
        "team_store_for_everybody",
        "lifetime_never_ends",
        "endpoint_name_unchecked",
    }

    assert promised <= {each.name for each in all_breaks()}


def test_every_title_is_its_own() -> None:
    """The table at the end shows a line for each break."""
    titles = [each.title for each in all_breaks()]

    assert len(set(titles)) == len(titles)


def test_patterns_choose_tests() -> None:
    """A pattern stands for whole names; only ``*`` is special, and brackets are not."""
    assert make("test_a.py::test_two[*]", "test_b.py::test_one").choose(TESTS) == TESTS[1:]
    assert make("test_a.py::test_one").choose(TESTS) == TESTS[:1]


@pytest.mark.parametrize("pattern", ["test_a.py::test_thre", "test_a.py::test_on", "est_one", "[z]"])
def test_pattern_that_fits_nothing(pattern: str) -> None:
    """A break that expects a test which does not exist is an error, not a success."""
    with pytest.raises(LookupError, match="there is no such test"):
        make("test_a.py::test_one", pattern).choose(TESTS)


def test_module_without_a_title_is_no_break(tmp_path: Path) -> None:
    """Tests and helpers lie beside the breaks."""
    path = tmp_path / "helper.py"
    path.write_text("EXPECTED = 1\n")

    assert read_break(path, tmp_path) is None


def test_whose_tests_notice(tmp_path: Path) -> None:
    """Tests of a suite are named relative to it, those of the harness by their whole path."""
    (tmp_path / "own").mkdir()
    (tmp_path / "guardian").mkdir()
    (tmp_path / "guardian/of_another.py").write_text(
        'TITLE = "g"\nEXPECTED = ("test_a.py::test_b",)\nABOUT = "x"'
    )
    (tmp_path / "of_suite.py").write_text('TITLE = "s"\nEXPECTED = ("test_a.py::test_b",)\nABOUT = "x"')
    (tmp_path / "own/of_harness.py").write_text(
        'TITLE = "h"\nNOTICED_BY = ("tests/test_rig.py::test_*",)\nABOUT = "x"'
    )

    of_another, of_suite, of_harness = all_breaks(tmp_path)

    assert (of_suite.plugin, of_suite.name) == ("tests.breaks.of_suite", "of_suite")
    assert (of_suite.sort, of_suite.files) == (Sort.SUITE, {"suites/nrfcloud/test_a.py"})
    assert (of_another.plugin, of_another.suite) == ("tests.breaks.guardian.of_another", "suites/guardian")
    assert (of_another.sort, of_another.files) == (Sort.SUITE, {"suites/guardian/test_a.py"})
    assert (of_harness.plugin, of_harness.name) == ("tests.breaks.own.of_harness", "of_harness")
    assert (of_harness.sort, of_harness.files) == (Sort.HARNESS, {"tests/test_rig.py"})


@pytest.mark.parametrize(
    "constants",
    [
        'TITLE = 1\nEXPECTED = ("t",)\nABOUT = "x"',
        'TITLE = "t"\nEXPECTED = ("t",)\nABOUT = ""',
        'TITLE = "t"\nEXPECTED = ("t",)',
        'TITLE = "t"\nEXPECTED = ()\nABOUT = "x"',
        'TITLE = "t"\nEXPECTED = "t"\nABOUT = "x"',
        'TITLE = "t"\nEXPECTED = (1,)\nABOUT = "x"',
        'TITLE = "t"\nABOUT = "x"',
        'TITLE = "t"\nNOTICED_BY = "t"\nABOUT = "x"',
        'TITLE = "t"\nNOTICED_BY = ()\nABOUT = "x"',
        'TITLE = "t"\nEXPECTED = ("t",)\nNOTICED_BY = ("t",)\nABOUT = "x"',
    ],
)
def test_break_that_does_not_say_enough(tmp_path: Path, constants: str) -> None:
    """A break names the tests that must fail and what they must be about."""
    path = tmp_path / "wrong.py"
    path.write_text(constants)

    with pytest.raises(ValueError, match=r"wrong\.py"):
        read_break(path, tmp_path)
