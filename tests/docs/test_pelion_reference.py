"""The page of Pelion's document: what it names exists, what exists it names, and no sentence is left out."""

from __future__ import annotations

import re

import pytest
from starlette.routing import Route

from harness_pelion.fake.app import PelionFake
from harness_pelion.fake.choices import FAKE
from harness_pelion.virtual.controls import Controls
from harness_pelion.virtual.power import POINTS
from harness_pelion.virtual.settings import MblSettings
from tests.docs.reference_page import ROOT, Proof, ReferencePage, functions, proofs_of, proved_by

PAGE = ReferencePage("pelion.md", "(?:suites|tests|tests/clients)/pelion")
CALL = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`]+)`")


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> list[Proof]:
    """Every test of the suites, as pytest collects it: its module, its name, and what it proves."""
    return proofs_of("suites/pelion", tmp_path_factory.mktemp("proofs"))


def test_every_test_named_exists() -> None:
    """Each test that the page names is a function of the file that it links."""
    assert PAGE.named()
    assert PAGE.missing_tests() == []


def test_every_link_to_a_test_is_read() -> None:
    """No link to a test is written in a way that the other checks would not see."""
    assert len(PAGE.links.findall(PAGE.text)) == len(re.findall(r"\[test_", PAGE.text))


def test_every_suite_is_reached(proofs: list[Proof]) -> None:
    """The page leads to every operation that a suite proves, in the module where it does, and to no other."""
    assert PAGE.reached() == proved_by(proofs)


def test_every_outcome_is_there(proofs: list[Proof]) -> None:
    """Each operation is in the table with its outcomes."""
    outcomes: dict[str, set[str]] = {}
    for proof in proofs:
        for operation, outcome in proof.pairs:
            outcomes.setdefault(operation, set()).add(outcome)

    shown = {row[0]: row[1] for row in PAGE.rows("Operations and outcomes")}

    assert shown == {operation: "; ".join(sorted(found)) for operation, found in outcomes.items()}


@pytest.mark.parametrize("folder", ["suites/pelion", "tests/clients/pelion"])
def test_every_file_is_on_the_page(folder: str) -> None:
    """Each file of the suites and of the real clients is linked."""
    there = {file.stem for file in (ROOT / folder).glob("test_*.py")}

    assert {file.rpartition("/")[2] for file, _name in PAGE.named() if file.startswith(f"{folder}/")} == there


def test_every_client_test_is_on_the_page() -> None:
    """Each test of the real clients is named."""
    for file in (ROOT / "tests/clients/pelion").glob("test_*.py"):
        tests = {name for name in functions(f"tests/clients/pelion/{file.stem}") if name.startswith("test_")}
        assert tests - {name for _file, name in PAGE.named()} <= {"test_double_has_nothing_of_ours"}, file


def test_every_route_is_in_a_table() -> None:
    """The fake answers what the page has, and nothing else."""
    found = set()
    for route in PelionFake().service.routes:
        assert isinstance(route, Route)
        path = re.sub(r"\{\w+\}", "ID", route.path)
        found |= {(method, path) for method in (route.methods or set()) - {"HEAD"}}
    spelled = {(method, path.rstrip("/")) for method, path in found if path.startswith("/v3/")}

    assert {
        (method, path.rstrip("/")) for row in PAGE.rows("Calls") for method, path in CALL.findall(row[0])
    } == spelled


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("Provisioning process overview", 3),
        ("Prerequisites", 3),
        ("Setting up persistent storage", 3),
        ("Provisioning", 3),
        ("Where the page and the client differ", 3),
        ("Operations and outcomes", 3),
        ("Unmodified tools", 3),
        ("Calls", 3),
    ],
)
def test_every_row_is_whole(heading: str, cells: int) -> None:
    """No cell is empty, and each row of what is to be proved names a test."""
    assert PAGE.rows(heading)
    for row in PAGE.rows(heading):
        assert len(row) == cells, row
        assert all(row), row
        assert heading.startswith("Where") or PAGE.links.search(row[-1]), row


def test_every_choice_is_told() -> None:
    """The page of the fake has each choice."""
    page = ReferencePage("fake-pelion.md", "suites/pelion")
    told = {name for row in page.rows("Choices") for name in re.findall(r"`(\w+)`", row[0].partition(":")[0])}

    assert told == set(type(FAKE).__slots__)


def test_every_control_call_is_told() -> None:
    """The page of the virtual device has each control call, option and point."""
    page = ReferencePage("virtual-pelion.md", "suites/pelion")
    calls = {name for row in page.rows("Control calls") for name in re.findall(r"`(\w+)\(", row[0])}
    declared = {
        name
        for name in vars(Controls)
        if not name.startswith("_") and name != "call" and callable(getattr(Controls, name))
    }

    assert calls == declared
    options = {
        name for row in page.rows("Options") for name in re.findall(r"`(\w+)`", row[0].partition(":")[0])
    }
    assert options == set(MblSettings.__slots__)
    assert [point for point in POINTS if f"`{point}`" not in page.text] == []
