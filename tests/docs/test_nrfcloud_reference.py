"""The page of nRF Cloud's operations: what it names exists, and what exists it names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness_nordic import plugin
from harness_nordic.fake.app import NrfCloudFake
from tests.measuring import unmeasured

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/nrfcloud.md").read_text(encoding="utf-8")
CALL = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/v1/[^`?]*)[^`]*`")
PROVED = re.compile(r"\[(test_\w+)\]\(\.\./\.\./suites/nrfcloud/(test_\w+)\.py\)((?: `[^`|]+`,?)+)")


def rows() -> list[list[str]]:
    """Every row of a table of operations, cell by cell."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and "suites/nrfcloud/" in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def proved_by(text: str) -> set[tuple[str, str]]:
    """Return modules of suites with the operations that the page says they prove."""
    found = set()
    for shown, module, operations in PROVED.findall(text):
        assert shown == module, f"the link {shown} leads to {module}"
        found |= {(module, operation) for operation in re.findall(r"`([^`]+)`", operations)}
    return found


COLLECT = """
import json, pathlib, sys
import pytest

class Proofs:
    def pytest_collection_finish(self, session):
        found = [
            (item.path.stem, item.name, [mark.args[0] for mark in item.iter_markers("proves")])
            for item in session.items
        ]
        pathlib.Path(sys.argv[1]).write_text(json.dumps(found))

others = [word for name in ("randomly", "cacheprovider", "pytest_cov") for word in ("-p", f"no:{name}")]
sys.exit(pytest.main(["--collect-only", "-q", *others, "suites/nrfcloud"], [Proofs()]))
"""


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, list[str]]]:
    """Every test of the suites, as pytest collects it: its module, its name, and what it proves."""
    file = tmp_path_factory.mktemp("proofs") / "proofs.json"
    ran = subprocess.run(
        [sys.executable, "-c", COLLECT, str(file)],
        cwd=ROOT,
        env=unmeasured(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found: list[tuple[str, str, list[str]]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def test_every_suite_is_reached(proofs: list[tuple[str, str, list[str]]]) -> None:
    """The page leads to every operation that a suite proves, in the module where it does, and to no other."""
    assert [f"{module}.py::{name}" for module, name, operations in proofs if not operations] == []
    proved = {(module, operation) for module, _name, operations in proofs for operation in operations}

    assert proved_by(PAGE) == proved


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
