"""The page of Guardian's words and calls: what it names exists, and what exists it names."""

from __future__ import annotations

import re

import pytest

from harness_guardian.enums import (
    COLUMN_TITLES,
    ERROR_LABELS,
    STATUS_TEXTS,
    Column,
    ErrorCode,
    ProvisionSource,
    Status,
)
from harness_guardian.fake.app import GuardianFake
from tests.docs.reference_page import Proof, ReferencePage, proofs_of, proved_by
from tests.guardian.fake.paper_vault import PaperVault

PAGE = ReferencePage("guardian.md", "(?:suites|tests)/guardian")
CALL = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`]+)`")


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> list[Proof]:
    """Every test of the suites, as pytest collects it: its module, its name, and what it proves."""
    return proofs_of("suites/guardian", tmp_path_factory.mktemp("proofs"))


def test_every_test_named_exists() -> None:
    """Each test that the page names is a function of the file that it links."""
    assert PAGE.named()
    assert PAGE.missing_tests() == []


def test_every_suite_is_reached(proofs: list[Proof]) -> None:
    """The page leads to every operation that a suite proves, in the module where it does, and to no other."""
    assert PAGE.reached() == proved_by(proofs)


def test_every_status_is_there() -> None:
    """Each status is in the table with its text, and no other one."""
    shown = {row[1].strip("`"): row[0] for row in PAGE.rows("Statuses")}

    assert shown == {status.value: STATUS_TEXTS.get(status, "the label of the error") for status in Status}


def test_every_error_is_there() -> None:
    """Each code is in the table with its label."""
    shown = {row[1].strip("`"): row[0] for row in PAGE.rows("Errors")}

    assert shown == {code.value: ERROR_LABELS[code] for code in ErrorCode}


def test_every_column_is_there() -> None:
    """Each column is in the table with its title, in order."""
    shown = [(row[1].strip("`"), row[0]) for row in PAGE.rows("Columns")]

    assert shown == [(column.value, COLUMN_TITLES[column]) for column in Column]


def test_every_transition_is_there() -> None:
    """Both state machines are there whole (guardian fact sheet, sections 2.1 and 2.2)."""
    wanted = [f"A{number}" for number in range(1, 7)] + [f"M{number}" for number in range(1, 11)]

    assert [row[0] for row in PAGE.rows("Transitions")] == wanted


def routes() -> set[tuple[str, str]]:
    """Every call of the API that the fake answers, with ``ID`` for what varies."""
    found = set()
    for route in GuardianFake(PaperVault()).door(ProvisionSource.CLOUD).routes:
        path = getattr(route, "path", "")
        methods = (getattr(route, "methods", None) or set()) - {"HEAD"}
        if path.startswith("/api/v1/"):
            found |= {(method, re.sub(r"\{\w+\}", "ID", path[len("/api/v1") :])) for method in methods}
    return found


def test_every_route_is_in_a_table() -> None:
    """The fake answers what the page has, and nothing else."""
    assert {call for row in PAGE.rows("Calls") for call in CALL.findall(row[1])} == routes()


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("Statuses", 4),
        ("Transitions", 5),
        ("Errors", 4),
        ("Columns", 4),
        ("Filters", 3),
        ("Buttons and links", 3),
        ("Calls", 4),
        ("The board", 2),
        ("Where the page contradicts itself", 2),
    ],
)
def test_every_row_is_whole(heading: str, cells: int) -> None:
    """No cell is empty, and each row of what is to be proved names a test."""
    assert PAGE.rows(heading)
    for row in PAGE.rows(heading):
        assert len(row) == cells, row
        assert all(row), row
        assert heading.startswith("Where") or PAGE.links.search(row[-1]), row
