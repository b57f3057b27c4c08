"""Rules of the house that no linter knows: what may be in the repository, and what may import what."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_MODULE = 600
SHARED_BY_BOTH_ENDS = {"harness_guardian.enums", "harness_nordic.enums", "harness_pelion.enums"}
ENDS = [
    "harness_guardian.fake",
    "harness_guardian.vault",
    "harness_guardian.virtual",
    "harness_nordic.fake",
    "harness_nordic.virtual",
    "harness_pelion.fake",
    "harness_pelion.virtual",
]


def tracked() -> list[Path]:
    """Files that are in the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def python_files(*directories: str) -> list[Path]:
    """Python files of the repository below some directories."""
    roots = [ROOT / directory for directory in directories]
    return [file for file in tracked() if file.suffix == ".py" and any(file.is_relative_to(r) for r in roots)]


def imports_of(file: Path) -> set[str]:
    """Names of the modules that a file imports, whether or not for type checking only."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports are not used here"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_modules_are_short() -> None:
    """A module of more than 600 lines is a defect; a reader has to get through it."""
    lengths = {
        file.relative_to(ROOT): len(file.read_text().splitlines())
        for file in python_files("harness", "plugins", "suites")
    }

    assert {file: length for file, length in lengths.items() if length > LONGEST_MODULE} == {}
    assert len(lengths) > 50


@pytest.mark.parametrize("end", ENDS)
def test_both_ends_share_enumerations_only(end: str) -> None:
    """Fake and virtual board share enumerations with the rest of their package, and nothing else."""
    files = python_files(f"plugins/{end.replace('.', '/')}")
    package = end.partition(".")[0]

    foreign = {
        name
        for file in files
        for name in imports_of(file)
        if name.startswith(f"{package}.") and not f"{name}.".startswith(f"{end}.")
    }

    assert {
        name for name in foreign if not any(name.startswith(allowed) for allowed in SHARED_BY_BOTH_ENDS)
    } == set()
    assert files


@pytest.mark.parametrize("shared", sorted(SHARED_BY_BOTH_ENDS))
def test_shared_module_holds_enumerations_only(shared: str) -> None:
    """What both ends share has nothing that encodes, decodes, signs or decides: no function at all."""
    tree = ast.parse((ROOT / f"plugins/{shared.replace('.', '/')}.py").read_text())

    functions = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]

    assert functions == []


def test_suites_import_the_harness_and_libraries_only() -> None:
    """Suites travel inside the wheel, so they cannot import each other or the tests."""
    imported = {name.split(".")[0] for file in python_files("suites") for name in imports_of(file)}

    assert imported.isdisjoint({"suites", "tests", "conftest", "plugins", "boards", "benchmarks"})


def test_nobody_sleeps() -> None:
    """What waits, waits for an event with a deadline; nothing sleeps for a fixed time."""
    sleepers = [
        str(file.relative_to(ROOT))
        for file in python_files("harness", "plugins", "suites")
        if re.search(
            r"\btime\.sleep\(|from time import .*\bsleep\b|asyncio\.sleep\((?!0\))", file.read_text()
        )
    ]

    assert sleepers == []


def test_lock_names_no_host() -> None:
    """The lock file has versions and hashes, so that it serves with any registry."""
    text = (ROOT / "requirements.lock").read_text()

    assert "://" not in text
    assert not re.search(r"^\s*(-i|--index|--find-links|--trusted)", text, re.MULTILINE)
    unhashed = [
        line for line in re.split(r"\n(?=[a-z])", text) if line.strip() and "--hash=sha256:" not in line
    ]
    assert unhashed == []


def test_locks_that_name_hosts_are_not_kept() -> None:
    """Lock files of uv and npm record where files were fetched from."""
    names = {file.name for file in tracked()}

    assert names.isdisjoint(
        {"uv.lock", "pylock.toml", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock"}
    )


def test_lock_holds_what_the_project_needs() -> None:
    """Every dependency of the project and of its extras and tools is locked."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [project["project"]["dependencies"], *project["project"]["optional-dependencies"].values()]
    wanted = {
        re.split(r"[\[><=!~ ;]", requirement)[0].lower().replace("_", "-")
        for group in [*groups, project["dependency-groups"]["dev"], project["build-system"]["requires"]]
        for requirement in group
    } - {"provisioning-harness"}
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))

    assert wanted - locked == set()


def test_no_path_of_a_machine_is_kept() -> None:
    """What lies in the repository means the same on every machine."""
    homes = re.compile(  # /home/root is where root lives on a Mbed Linux device
        rb"/(?:home|Users)/(?!USER\b|root\b)[a-z]\w+/|(?<!\w)/root/\w|"
        + re.escape(str(ROOT).encode())
        + rb"\b"
    )
    found = [
        str(file.relative_to(ROOT))
        for file in tracked()
        if file != Path(__file__) and homes.search(file.read_bytes())
    ]

    assert found == []


def test_distribution_installs_our_names_only() -> None:
    """The wheel installs ``harness`` and ``harness_*``, and carries profiles and suites inside."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert {Path(package).name for package in wheel["packages"]} == {
        path.name for path in [ROOT / "harness", *(ROOT / "plugins").glob("harness_*")] if path.is_dir()
    }
    assert wheel["force-include"] == {"boards": "harness/boards", "suites": "harness/suites"}


@pytest.mark.parametrize(
    "package", ["harness", "plugins/harness_guardian", "plugins/harness_nordic", "plugins/harness_pelion"]
)
def test_packages_are_typed(package: str) -> None:
    """Type checkers of our users read our annotations."""
    assert (ROOT / package / "py.typed").is_file()


def test_every_make_target_is_explained() -> None:
    """``make help`` names every target, and every target that it names exists."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())  # type: ignore[index]  # it is there

    helped = set(re.findall(r'@echo "make ([a-z-]+) ', makefile))

    assert helped == targets - {"help", "venv", "allure"}
    assert {
        "suites",
        "test",
        "breaks",
        "soak",
        "bench",
        "lint",
        "report",
        "docs",
        "system-deps",
        "clean",
    } <= helped


def test_every_test_says_what_it_guarantees() -> None:
    """Each test of the harness and of the suites has a docstring: what holds when it is green."""
    silent = [
        f"{file.relative_to(ROOT)}::{node.name}"
        for file in python_files("tests", "suites")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert silent == []
