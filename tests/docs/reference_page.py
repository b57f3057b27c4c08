"""Reads a reference page: which tests it links, its tables; and what a vendor's suites prove."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.measuring import unmeasured

ROOT = Path(__file__).parents[2]
COLLECT = """
import json, pathlib, sys
import pytest

class Proofs:
    def pytest_collection_finish(self, session):
        found = [
            (item.path.stem, item.name, [mark.args for mark in item.iter_markers("proves")])
            for item in session.items
        ]
        pathlib.Path(sys.argv[1]).write_text(json.dumps(found))

others = [word for name in ("randomly", "cacheprovider", "pytest_cov") for word in ("-p", f"no:{name}")]
sys.exit(pytest.main(["--collect-only", "-q", *others, sys.argv[2]], [Proofs()]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A test of the suites, as pytest collects it.

    :ivar module: its module's name.
    :ivar name: its own.
    :ivar pairs: the operations that it proves, each with the outcome.
    """

    module: str
    name: str
    pairs: tuple[tuple[str, str], ...]


def proofs_of(suite: str, directory: Path) -> list[Proof]:
    """Collect the tests of a suite in a process of its own.

    :param suite: its directory, from the root of the project.
    :param directory: where something may be written.
    """
    file = directory / "proofs.json"
    ran = subprocess.run(
        [sys.executable, "-c", COLLECT, str(file), suite],
        cwd=ROOT,
        env=unmeasured(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads(file.read_text(encoding="utf-8"))
    return [
        Proof(module=module, name=name, pairs=tuple((operation, outcome) for operation, outcome in pairs))
        for module, name, pairs in found
    ]


def proved_by(proofs: list[Proof]) -> set[tuple[str, str]]:
    """Return each operation that a suite proves, with the module in which it does."""
    assert [f"{proof.module}.py::{proof.name}" for proof in proofs if not proof.pairs] == []
    return {(proof.module, operation) for proof in proofs for operation, _outcome in proof.pairs}


@cache
def functions(file: str) -> frozenset[str]:
    """Return the names of the functions in a file.

    :param file: from the root of the project, without its suffix.
    """
    tree = ast.parse((ROOT / f"{file}.py").read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


class ReferencePage:
    """A page about what a vendor's suites prove.

    :ivar text: all of it.
    :ivar links: expression for a link to a module of tests, with the names behind it.
    """

    def __init__(self, name: str, places: str) -> None:
        """Read a page.

        :param name: of its file in the reference.
        :param places: expression for the directories whose modules it links, from the root of the project.
        """
        self.text = (ROOT / "docs/reference" / name).read_text(encoding="utf-8")
        self.links = re.compile(rf"\[(test_\w+)\]\(\.\./\.\./((?:{places})/[\w/]+)\.py\)((?: `[^`|]+`,?)+)")

    def named(self) -> list[tuple[str, str]]:
        """Return every file that the page links, without its suffix, with each test or operation it names."""
        found = []
        for shown, file, names in self.links.findall(self.text):
            assert file.endswith(f"/{shown}"), f"the link {shown} leads to {file}"
            found += [(file, name) for name in re.findall(r"`([^`]+)`", names)]
        return found

    def missing_tests(self) -> list[tuple[str, str]]:
        """Return each test that the page names and that is no function of the file that it links."""
        return [
            (file, name)
            for file, name in self.named()
            if name.startswith("test_") and name not in functions(file)
        ]

    def reached(self) -> set[tuple[str, str]]:
        """Return each operation that the page names behind a link, with the module of the suite."""
        return {
            (file.rpartition("/")[2], name)
            for file, name in self.named()
            if file.startswith("suites/") and not name.startswith("test_")
        }

    def rows(self, heading: str) -> list[list[str]]:
        """Return the rows of the table below a heading, cell by cell."""
        part = self.text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        return cells([line for line in part.splitlines() if line.startswith("| ")][1:])


def cells(lines: list[str]) -> list[list[str]]:
    """Return the cells of a table's lines."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
