"""The page of nRF Cloud's operations: what it names exists, and what exists it names."""

from __future__ import annotations

import re

import pytest

from harness_nordic import plugin
from harness_nordic.fake.app import NrfCloudFake
from tests.docs.reference_page import Proof, ReferencePage, cells, proofs_of, proved_by

PAGE = ReferencePage("nrfcloud.md", "suites/nrfcloud")
CALL = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/v1/[^`?]*)[^`]*`")


def rows() -> list[list[str]]:
    """Every row of a table of operations, cell by cell."""
    lines = [line for line in PAGE.text.splitlines() if line.startswith("| ") and "suites/nrfcloud/" in line]
    return cells(lines)


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> list[Proof]:
    """Every test of the suites, as pytest collects it: its module, its name, and what it proves."""
    return proofs_of("suites/nrfcloud", tmp_path_factory.mktemp("proofs"))


def test_every_suite_is_reached(proofs: list[Proof]) -> None:
    """The page leads to every operation that a suite proves, in the module where it does, and to no other."""
    assert PAGE.reached() == proved_by(proofs)


def routes() -> set[tuple[str, str]]:
    """Every call that the fake answers, with ``ID`` for what varies."""
    found = set()
    for route in NrfCloudFake().service.routes:
        methods = getattr(route, "methods", None) or set()
        path = re.sub(r"\{\w+\}", "ID", getattr(route, "path", ""))
        found |= {(method, path) for method in methods - {"HEAD"}}
    return found


def test_every_route_is_in_a_table() -> None:
    """The fake answers what the page has, and nothing else."""
    listed = {call for row in rows() for call in CALL.findall(row[1])}

    assert listed == routes()


def test_every_capability_is_the_backends() -> None:
    """The last column says what the real service needs not have in words that suites use."""
    (spec,) = plugin.harness_backends()
    named = {word for row in rows() for word in re.findall(r"`([a-z-]+)`", row[-1])}

    assert named <= spec.capabilities


def test_every_row_is_whole() -> None:
    """Operation, call, proof, fake and real: no cell is empty."""
    assert rows()
    for row in rows():
        assert len(row) == 5, row
        assert all(row), row
