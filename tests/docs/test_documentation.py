"""The documentation: links resolve, examples are files that run, commands and options exist."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from harness import hookspecs
from harness.cli.main import execute
from harness.inventory.profiles import load_profile, load_profiles
from harness.shipped import shipped_directory
from harness_nordic.virtual.agent_settings import AgentSettings
from harness_nordic.virtual.controls import Controls
from harness_nordic.virtual.faults import DISTURBANCES, FORGERIES
from harness_nordic.virtual.power import POINTS

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MARKED = re.compile(r"^( *)<!-- (file|part of): (\S+) -->\n\1```\w+\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def name(page: Path) -> str:
    """A page's name, for the names of tests."""
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """What can be linked to within a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_resolve(page: Path) -> None:
    """Every relative link leads to a file of the repository, and to a heading that is there."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_code_is_that_of_the_files(page: Path) -> None:
    """Code that is shown as a file's, or as a part of it, is exactly that."""
    for indent, what, file, code in MARKED.findall(page.read_text()):
        shown = re.sub(rf"^{indent}", "", code, flags=re.MULTILINE)
        real = (ROOT / file).read_text()
        assert (shown == real) if what == "file" else (shown in real), f"{file} differs from what is shown"


def test_every_example_is_shown() -> None:
    """An example that no page shows is of no use."""
    shown = {file for page in PAGES for _, _, file, _ in MARKED.findall(page.read_text())}

    assert {
        name(file) for file in EXAMPLES.rglob("*") if file.is_file() and "__pycache__" not in file.parts
    } <= shown


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_one_sentence_a_line(page: Path) -> None:
    """A line of prose ends with its sentence, so that changes are easy to review."""
    prose = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    crowded = [
        line
        for line in prose.splitlines()
        if not line.lstrip().startswith("|") and re.search(r"[a-z`)]\. +[A-Z]", line)
    ]

    assert crowded == []


def commands() -> list[str]:
    """Every ``harness ...`` command that a page names."""
    found = set()
    for page in PAGES:
        found |= set(
            re.findall(
                r"(?:^|`|HARNESS_PLUGINS=\w+ )harness ([a-z]+(?: [a-z][a-z-]*)?)",
                page.read_text(),
                re.MULTILINE,
            )
        )
    return sorted(found)


@pytest.mark.parametrize("command", commands())
def test_commands_exist(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Every command that the documentation names has a help."""
    words = command.split()
    if words[0] not in {"bench", "backend", "guardian", "pelion", "profile", "rig", "nrfcloud"}:
        words = words[:1]

    assert execute([*words, "--help"]) == 0
    assert f"Usage: harness {' '.join(words)}" in capfd.readouterr().out


def test_every_command_is_documented(capfd: pytest.CaptureFixture[str]) -> None:
    """The page of the command line leaves no command out."""
    page = (ROOT / "docs/reference/command-line.md").read_text()
    missing: list[str] = []
    for group in ("", "bench", "backend", "guardian", "nrfcloud", "pelion", "profile", "rig"):
        execute([*group.split(), "--help"])
        listed = capfd.readouterr().out.split("Commands:\n")[1]
        names = [
            f"harness {group} {command}"
            for command in re.findall(r"^  ([a-z][a-z-]*) ", listed, re.MULTILINE)
        ]
        missing += [one for one in names if f"`{' '.join(one.split())}" not in page]

    assert missing == []


def test_every_option_is_documented() -> None:
    """The page of pytest's options names those that the plugin has, and no other."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    section = done.stdout.split("provisioning tests on boards (harness):\n")[1].split("\n\n")[0]
    page = (ROOT / "docs/reference/pytest-options.md").read_text()

    assert set(re.findall(r"^  (--[a-z-]+)", section, re.MULTILINE)) == set(
        re.findall(r"^\| `(--[a-z-]+)", page, re.MULTILINE)
    )


def test_every_control_call_is_in_the_table() -> None:
    """The page of the virtual nRF91 has each control call with its parameters, and every word they know."""
    page = (ROOT / "docs/reference/virtual-nrf91.md").read_text()
    calls = page.split("## Control calls of the nRF91")[1].split("###")[0]
    listed = {
        name: [re.split("[=:]", word.strip())[0] for word in parameters.split(",") if word.strip()]
        for name, parameters in re.findall(r"^\| `(\w+)\(([^)]*)\)`", calls, re.MULTILINE)
    }
    declared = {
        name: [parameter for parameter in inspect.signature(call).parameters if parameter != "self"]
        for name, call in inspect.getmembers(Controls, inspect.isfunction)
        if not name.startswith("_") and name != "call"
    }

    assert listed.pop("configure") == ["**options"]
    assert listed.pop("disturb_next") == ["command", "how", "..."]
    assert listed == {name: declared[name] for name in declared.keys() - {"configure", "disturb_next"}}
    for word in (*POINTS, *DISTURBANCES, *FORGERIES, *(field.name for field in fields(AgentSettings))):
        assert word == "service" or f"`{word}`" in page, word


def test_every_hook_is_in_the_table() -> None:
    """The page of hooks has each with its arguments."""
    page = (ROOT / "docs/reference/hooks.md").read_text()
    listed = dict(re.findall(r"^\| `(harness_\w+)\(([^)]*)\)`", page, re.MULTILINE))
    declared = {
        hook: ", ".join(getattr(hookspecs, hook).__code__.co_varnames)
        for hook in dir(hookspecs)
        if hook.startswith("harness_")
    }

    assert listed == declared


def test_shipped_profiles_are_in_the_table() -> None:
    """The page of profiles has each kind of hardware with its title and capabilities."""
    page = (ROOT / "docs/reference/profiles.md").read_text()
    rows = re.findall(
        r"^\| `(\S+)` \| (.*?) \| (.*?) \|$", page.split("## Shipped profiles")[1], re.MULTILINE
    )

    profiles = [
        profile for profile in load_profiles([shipped_directory("boards")]).values() if not profile.virtual
    ]
    assert sorted(rows) == [
        (profile.name, profile.title, ", ".join(profile.capabilities)) for profile in profiles
    ]


def test_example_profile_is_well_formed() -> None:
    """The profile that a reader copies is accepted."""
    assert load_profile(EXAMPLES / "my-board.toml").title == "My Board"


def test_example_plugin_is_found(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """The plugin that a reader copies adds its board to what is looked for."""
    from harness.inventory import serial_ports

    monkeypatch.syspath_prepend(EXAMPLES)
    monkeypatch.setenv("HARNESS_PLUGINS", "my_boards")
    monkeypatch.setattr(serial_ports, "list_serial_ports", list)

    assert execute(["boards"]) == 0
    assert "My Board" in capfd.readouterr().out


def test_example_tests_pass(tmp_path: Path) -> None:
    """The tests of README and tutorial pass in an empty directory, with the options that are shown."""
    for file in EXAMPLES.glob("test_*.py"):
        shutil.copy(file, tmp_path)
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-m",
            "pytest",
            "--bench",
            "virtual",
            "--boards",
            "1",
            "--backend",
            "nrfcloud=fake",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
